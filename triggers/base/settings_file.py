"""The settings as a file of variables: `python -m triggers.base.settings_file > deploy/settings.env`."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from pydantic.fields import FieldInfo

from triggers.base.setting_types import Separated
from triggers.base.settings import Settings
from triggers.base.terminal import say_page

_HEAD = """\
# Settings of all roles: uncomment what you want to set. Written by `python -m triggers.base.settings_file`.
# Compose passes this file (or the one that TRIGGERS_SETTINGS names) to all roles. With systemd, put the lines into
# /etc/clearml-triggers/common.env; with Kubernetes, into the ConfigMap. Secrets are files: deploy/secrets/README.md.
"""


def page() -> str:
    """The file: each setting that is not a secret, as a comment with its default."""
    return "\n".join([_HEAD, *_lines()])


def public() -> list[str]:
    """The settings that are not secrets."""
    return [name for name, field in Settings.model_fields.items() if field.repr]


def secrets() -> list[str]:
    """The settings that lie in files of their own. The address of Redis is in none: its password is."""
    return [name for name, field in Settings.model_fields.items() if not field.repr and name != "redis_url"]


def separated_by(field: FieldInfo) -> str:
    """By what the values of a list are separated; "" for a setting that is not a list."""
    return next((one.by for one in field.metadata if isinstance(one, Separated)), "")


def _lines() -> Iterator[str]:
    for name in public():
        field = Settings.model_fields[name]
        by = separated_by(field)
        text = f"{field.description} (separated by {by})" if by else str(field.description)
        yield from (f"# {line}" for line in wrap(text, 110))
        yield f"#TRIGGERS_{name.upper()}={shown(field.default)}"
        yield ""


def shown(default: Any) -> str:
    """A default as the variable would have it."""
    if isinstance(default, bool):
        return str(int(default))
    return ",".join(default) if isinstance(default, tuple) else "" if default is None else str(default)


if __name__ == "__main__":
    say_page(page(), end="")
