"""docker-compose.yml as Compose reads it: variables filled in, `$$` undone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
SANDBOX = ROOT / "deploy" / "sandbox" / "compose.env"
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})")


class Missing(Exception):
    """A variable without which Compose refuses to start."""


def sandbox() -> dict[str, str]:
    """What `--env-file deploy/sandbox/compose.env` sets."""
    lines = SANDBOX.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file with variables taken from `environ`, else from those of the sandbox.

    Raises:
        Missing: Compose would refuse to start.
    """
    found: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text()), sandbox() if environ is None else environ)
    return found


def _value(match: re.Match[str], environ: Mapping[str, str]) -> str:
    name, operator, rest = match.groups()
    if name is None:
        return "$"
    if operator == "?" and not environ.get(name):
        raise Missing(f"{name} {rest}")
    return environ.get(name) or (rest if operator == "-" else "")


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _value(match, environ), value)
    if isinstance(value, list):
        return [_filled(item, environ) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, environ) for key, item in value.items()}
    return value
