"""Writing triggers as YAML: what is default is left out, so that reading it gives the same triggers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from triggers.base.escaping import is_safe, yaml_text
from triggers.configuration.document import KIND, PROJECT_ID, defaults
from triggers.model import Trigger
from triggers.model.fields import declared
from triggers.model.parts import LISTS
from triggers.model.trigger import PLAIN_FIELDS

_HEAD = """\
# Triggers as `clearml-triggers export` writes and `apply` reads them: the arguments of the Python API.
# For editors: `clearml-triggers export --schema > triggers.schema.json`
# yaml-language-server: $schema=triggers.schema.json
"""


def dump(triggers: Iterable[Trigger], *, ascii_only: bool = False) -> str:
    """The text of a file with these triggers; `ascii_only`: other characters are escaped as YAML has them."""
    items = [arguments_of(trigger) for trigger in triggers]
    text = yaml.dump({"triggers": items}, Dumper=_Dumper, sort_keys=False, allow_unicode=not ascii_only, width=100)
    return _HEAD + yaml_text(text)


def arguments_of(trigger: Trigger) -> dict[str, Any]:
    """The arguments that declare a trigger, without those that have their default."""
    given = trigger.action.to_arguments(trigger.name)
    listed = {name: [*given.get(name, ()), *(each.form() for each in getattr(trigger, name))] for name in LISTS}
    given |= {name: getattr(trigger, name) for name in (*declared(type(trigger)), *PLAIN_FIELDS)} | listed
    given |= trigger.policy.model_dump()
    known = defaults(trigger.kind)
    values = {KIND: trigger.kind, "name": trigger.name}
    for name in [*known, PROJECT_ID]:
        value = _plain(given.get(name))
        # None, False, and empty all ask for nothing; 0 is a number, and False instead of True is written
        nothing = value is None or value is False or value in ([], {})
        is_default = value == known.get(name) or (nothing and not known.get(name))
        if name not in values and not is_default:
            values[name] = value
    return values


def _plain(value: Any) -> Any:
    return [*map(_plain, value)] if isinstance(value, tuple) else value


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML would take for the end of a line, and what a terminal would act on."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if is_safe(value) else '"')


_Dumper.add_representer(str, _text)
