"""The chain of the audit log: each line holds a hash of itself and of the line before it, so that a cut is seen. Pure.

Whoever can write to Redis could write the whole chain anew; the service task keeps its last hash, against which it is
compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from triggers.base import forms

#: What a hash is over, in this order, behind the hash of the line before.
_HASHED: Final = ("seq", "at_ms", "limit", "who", "what", "detail", "outcome")


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the chain: number and hash of a line. Before the first line it is 0 and ""."""

    seq: int = 0
    hash: str = ""

    def to_text(self) -> str:
        """As the service task keeps it."""
        return f"{self.seq} {self.hash}" if self.seq else ""

    @classmethod
    def from_text(cls, text: str) -> Link:
        """Read it; None for a corrupt one."""
        seq, _, hash_ = text.partition(" ")
        return cls(int(seq), hash_) if seq.isdigit() and hash_ else cls()


def hash_of(before: str, line: Mapping[str, str]) -> str:
    """The hash of a line behind one with the hash `before`."""
    text = json.dumps([before, *(line.get(name, "") for name in _HASHED)])
    return hashlib.sha256(text.encode()).hexdigest()


def faults(lines: Sequence[tuple[str, Mapping[str, str]]], head: Link, start: Link, shown: Link) -> list[str]:
    """What is wrong with a chain; nothing if it is whole.

    Args:
        lines: the entries, as (id, fields), oldest first.
        head: the last line, as Redis keeps it beside the log.
        start: the last line of an earlier Redis, which this one goes on from.
        shown: a line as the service task has shown it.
    """
    chained = [fields for _, fields in lines if "hash" in fields]
    found = [*_without_hash(lines), *_beginning(chained, start), *_links(chained), *_end(chained, head, start)]
    if shown.seq > max(head.seq, start.seq):
        found.append(f"the service task has shown line {shown.seq}, and the log ends with line {head.seq}")
    for fields in chained:
        if fields.get("seq") == str(shown.seq) and fields["hash"] != shown.hash:
            found.append(f"line {shown.seq} is another than the one that the service task has shown")
    return found


def _seq(fields: Mapping[str, str]) -> int:
    """The number of a line; 0 where somebody took it away, which its hash shows."""
    return forms.number(fields.get("seq"))


def _without_hash(lines: Sequence[tuple[str, Mapping[str, str]]]) -> list[str]:
    """Lines of before there was a chain stand in front of it, or nowhere."""
    first = next((place for place, (_, fields) in enumerate(lines) if "hash" in fields), len(lines))
    return [f"entry {id_} is not part of the chain" for id_, fields in lines[first:] if "hash" not in fields]


def _beginning(chained: Sequence[Mapping[str, str]], start: Link) -> list[str]:
    """The oldest lines go when the log is full, and else none does."""
    if not chained:
        return []
    first, limit = _seq(chained[0]), min(forms.number(fields.get("limit")) for fields in chained)
    if first <= start.seq + 1 or len(chained) >= limit:
        return []
    return [f"lines {start.seq + 1} to {first - 1} are missing, and the log was not full"]


def _links(chained: Sequence[Mapping[str, str]]) -> list[str]:
    found = []
    for place, fields in enumerate(chained):
        before = chained[place - 1] if place else None
        seq = _seq(fields)
        if fields["hash"] != hash_of(fields.get("prev", ""), fields):
            found.append(f"line {seq} was changed")
        if before is not None and seq != _seq(before) + 1:
            found.append(f"lines {_seq(before) + 1} to {seq - 1} are missing")
        elif before is not None and fields.get("prev") != before["hash"]:
            found.append(f"line {seq} does not follow from line {before['seq']}")
    return found


def _end(chained: Sequence[Mapping[str, str]], head: Link, start: Link) -> list[str]:
    last = Link(_seq(chained[-1]), chained[-1]["hash"]) if chained else start
    if last == head or not (chained or head.seq):
        return []
    if last.seq < head.seq:
        return [f"lines {last.seq + 1} to {head.seq} are missing at the end"]
    return [f"the last line is {last.seq}, and Redis knows of {head.seq}"]
