"""The files of the private Redis before a start: those that it would pass over, to begin empty or with less.

A server refuses files that it cannot read, and says so. Where a file is missing that only names others, it takes these
for none: it begins empty, and writes over them. So that is looked at before.

| what a crash, a full disk or a copy may leave | what a server would do with it |
|---|---|
| the parts of the append-only file, without the manifest that lists them | begin empty and write over them |
| a manifest that ends before the part that was written last | begin with what was known earlier |
| an empty snapshot at the head of the parts | begin with the changes since then alone |
| a snapshot (`dump.rdb`), without an append-only file | begin empty |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from triggers.base.plural import plural

#: Where Redis 7 and later, and every Valkey, keep the append-only file, in parts.
PARTS: Final = "appendonlydir"
_SINGLE: Final = "appendonly.aof"
_MANIFEST: Final = "appendonly.aof.manifest"
_SNAPSHOT: Final = "dump.rdb"

#: A part: a snapshot at the head (`base`), or the changes since (`incr`). Each rewrite raises the number.
_PART: Final = re.compile(r"appendonly\.aof\.(\d+)\.(base|incr)\.(?:rdb|aof)")
_LISTED: Final = re.compile(rf"^file {_PART.pattern} seq", re.MULTILINE)

_WAY_OUT: Final = (
    "nothing was changed. Restore the folder from a backup, set TRIGGERS_STATE_FOLDER to another folder, or move this "
    "one away: triggers and pauses then come back from the service task, and nothing is launched twice"
)


def damage(folder: Path) -> str:
    """Why no server may be started on a state folder, with the fix; "" if one may.

    Raises:
        OSError: the folder cannot be read.
    """
    parts = {path.name: path for path in (folder / PARTS).glob("*") if _PART.fullmatch(path.name)}
    filled = {name for name, path in parts.items() if path.stat().st_size}
    manifest = folder / PARTS / _MANIFEST
    if not manifest.is_file():
        if filled:
            return _words(folder, f"{PARTS} has no {_MANIFEST}, which lists its {plural(len(parts), 'file')}")
        return _only_a_snapshot(folder)
    listed = list(_LISTED.finditer(manifest.read_text(errors="replace")))
    last = max((int(one[1]) for one in listed if one[2] == "incr"), default=0)
    for name in sorted(filled):
        number, kind = _PART.fullmatch(name).groups()  # type: ignore[union-attr]
        if kind == "incr" and int(number) > last:
            return _words(folder, f"{manifest.relative_to(folder)} is truncated: it does not list {name}")
    for one in listed:
        name = one[0].split()[1]
        if one[2] == "base" and name.endswith(".rdb") and name in parts and name not in filled:
            return _words(folder, f"{PARTS}/{name} is empty")
    return ""


def _only_a_snapshot(folder: Path) -> str:
    snapshot, single = folder / _SNAPSHOT, folder / _SINGLE
    if not snapshot.is_file() or not snapshot.stat().st_size or (single.is_file() and single.stat().st_size):
        return ""
    return _words(folder, f"it has a snapshot ({_SNAPSHOT}) and no append-only file, which alone is read")


def _words(folder: Path, why: str) -> str:
    return f"the state folder {folder} cannot be read as a whole: {why}; {_WAY_OUT}"
