"""Which server wrote a state folder, and which others can read it.

A server that meets files of a later form ends, or takes them for none and begins empty: Redis 6.2 does not look into
the folder that Redis 7 and later write. So the writer is recorded beside the files and compared before a start. What
the files themselves say counts too, where it is a later writer than the recorded one: a process may have died between
the start of a server and its record.

| files of | read by |
|---|---|
| Redis | the same or a later Redis |
| Redis up to 7.2 | any Valkey: it began as Redis 7.2 |
| Valkey | the same or a later Valkey |
| Valkey up to 8 | Redis from 7.2 on; since Valkey 9 they have a form of their own |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from triggers.local import private_files
from triggers.local.state_files import PARTS

Kind = Literal["redis", "valkey"]
Version = tuple[int, int, int]

#: The record, in the state folder.
_FILE: Final = "server.json"
#: How the snapshot begins that a Valkey since 9 writes.
_VALKEY_MAGIC: Final = b"VALKEY"
#: How that of a Redis begins, and of a Valkey before 9.
_REDIS_MAGIC: Final = b"REDIS"
#: From which number in that head on a snapshot is of which Redis at least.
_OF_SNAPSHOTS: Final[tuple[tuple[int, Version], ...]] = ((12, (7, 4, 0)), (11, (7, 2, 0)))


@dataclass(frozen=True, slots=True)
class Writer:
    """A server as the writer of a folder."""

    kind: Kind
    version: Version
    path: str = ""

    def __str__(self) -> str:
        return f"{self.kind.capitalize()} {'.'.join(map(str, self.version))}"

    def can_read(self, other: Writer) -> bool:
        """Whether this server reads what the other wrote. The last number of a release changes no form."""
        if self.kind == other.kind:
            return self.version[:2] >= other.version[:2]
        if self.kind == "valkey":
            return other.version < (7, 3, 0)
        return other.version < (9, 0, 0) and self.version >= (7, 2, 0)

    def problem_with(self, folder: Path) -> str:
        """Why this server cannot be started on a folder, with the fix; "" if it can."""
        other = read(folder)
        if other is None or self.can_read(other):
            return ""
        was = f" (it was {other.path})" if other.path else ""
        return (
            f"the state folder {folder} was written by {other}, whose files {self} at {self.path} cannot read; nothing "
            f"was changed. Set TRIGGERS_REDIS_SERVER to that server or a later one{was}, or TRIGGERS_STATE_FOLDER to "
            "another folder"
        )

    def record(self, folder: Path) -> None:
        """Write down that this server writes the folder from now on."""
        text = json.dumps({"kind": self.kind, "version": list(self.version), "path": self.path})
        private_files.write(folder / _FILE, text)


def read(folder: Path) -> Writer | None:
    """Who wrote a folder last; None if nobody did, or any server reads what is in it.

    Raises:
        OSError: the folder cannot be read.
    """
    parts = folder / PARTS
    if not parts.is_dir():  # what is left of the files decides: a record alone writes nothing
        return None
    seen, recorded = _writer_of_files(parts), _recorded(folder)
    return recorded if recorded is not None and recorded.can_read(seen) else seen


def _recorded(folder: Path) -> Writer | None:
    try:
        found = json.loads((folder / _FILE).read_text())
        major, minor, patch = map(int, found["version"])
        kind: Kind = "valkey" if found["kind"] == "valkey" else "redis"
        return Writer(kind, (major, minor, patch), str(found["path"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _writer_of_files(parts: Path) -> Writer:
    """The earliest server that writes such files, by the head of their snapshot: `REDIS` or `VALKEY` and a number."""
    writer = Writer("redis", (7, 0, 0))
    for path in parts.glob("*.rdb"):
        with path.open("rb") as file:
            head = file.read(9)
        if head.startswith(_VALKEY_MAGIC):
            return Writer("valkey", (9, 0, 0))
        if head.startswith(_REDIS_MAGIC) and head[5:].isdigit():
            writer = max(writer, Writer("redis", _by_number(int(head[5:]))), key=lambda one: one.version)
    return writer


def _by_number(number: int) -> Version:
    return next((version for least, version in _OF_SNAPSHOTS if number >= least), (7, 0, 0))
