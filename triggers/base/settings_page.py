"""The reference of all settings: `python -m triggers.base.settings_page > docs/reference/settings.md`."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from triggers.base.secrets_folder import SECRETS_FOLDER
from triggers.base.setting_types import WebAddress
from triggers.base.settings import Settings
from triggers.base.settings_file import secrets, separated_by, shown
from triggers.base.terminal import say_page

_HEAD = f"""# Settings

Written from `triggers/base/settings.py` by `python -m triggers.base.settings_page`.

Set a setting as an environment variable, in upper or lower case. A process reads its variables once, when it starts.
All workers of a scheduler need the same values; `clearml-triggers doctor` shows where they differ. If a value is wrong,
the process exits with a line that names the variable, the value, and what is allowed.

`{SECRETS_FOLDER}` names a folder with one file per secret. The file is named after the variable, in lower case:
`triggers_redis_password`. A variable takes precedence over a file. An empty variable or file counts as not set.
ClearML's own settings come from `clearml.conf` or the variables `CLEARML_*`.
"""

#: Suffixes of names that are units.
_UNITS: Final = ("seconds", "days", "per_minute", "per_hour")

#: The bounds of a number, as pydantic names them.
_BOUNDS: Final = {"ge": "≥", "gt": "\\>", "le": "≤", "lt": "<"}

_KINDS: Final[dict[Any, str]] = {
    bool: "0 or 1",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    WebAddress: "URL",
}


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_table(), "", *_secret_part()])


def _table() -> Iterator[str]:
    yield "| variable | value | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = f"`{shown(field.default)}`" if shown(field.default) else "not set"
        yield f"| `TRIGGERS_{name.upper()}` | {_value(name, field)} | {default} | {_cell(field.description)} |"


def _value(name: str, field: FieldInfo) -> str:
    unit = next((each.replace("_", " ") for each in _UNITS if name.endswith(each)), "")
    limits = [(sign, getattr(one, key, None)) for one in field.metadata for key, sign in _BOUNDS.items()]
    bounds = [f"{sign} {limit:,.12g}" for sign, limit in limits if limit is not None]
    by = separated_by(field)
    kind = f"list, separated by {by}" if by else _kind(field.annotation)
    return ", ".join(filter(None, [f"{kind} ({unit})" if unit else kind, *bounds]))


def _kind(annotation: Any) -> str:
    if annotation in _KINDS:
        return _KINDS[annotation]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType):
        return _kind(next(one for one in get_args(annotation) if one is not type(None)))
    raise TypeError(f"{annotation}: no words for it yet")


def _secret_part() -> Iterator[str]:
    yield "## Secrets"
    yield ""
    yield "Keep these in files of the secrets folder. `repr`, logs and error messages never show them:"
    yield ""
    yield from (f"- `triggers_{name}`" for name in secrets())
    yield ""
    yield "The secrets folder also holds `clearml_api_access_key`, `clearml_api_secret_key` and `flower_basic_auth`."
    yield "[Deployment](../deployment.md#rotating-secrets) says when a changed secret takes effect."
    yield ""


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    say_page(page(), end="")
