"""docker-compose.yml as Compose reads it: variables filled in, `$$` undone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?::-([^}]*))?\})")


def read(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file with variables taken from `environ`."""
    found: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text()), environ or {})
    return found


def _filled(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda m: "$" if m[1] is None else environ.get(m[1]) or m[2] or "", value)
    if isinstance(value, list):
        return [_filled(item, environ) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, environ) for key, item in value.items()}
    return value
