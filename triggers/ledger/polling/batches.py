"""Batches: the events that a poll found, cut by partition and stored as text until they are matched."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from triggers.base.formats import KNOWN, check_version, reading
from triggers.ledger import leases
from triggers.ledger.signing import NO_KEY, Signer, parted
from triggers.model.events import Event
from triggers.rules.policies import STAMP_TOLERANCE_MS

#: What the signature of a batch is of, with the partition.
BATCH: Final = "batch of partition"


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one partition that were read under one plan. `head` identifies the stored text.

    `latest_ms`: no change can have got a later time from the clock that stamps them, when these were read; None if
    unknown. What has one was stamped before that clock was set back.
    `read_plan`: registry version under which all that counts was read before; 0 if unknown.
    `tail_ms`, `before_ms`: `tail_ms` and `latest_ms` of the cursor before these were read; 0 if unknown.
    """

    head: str
    plan: int
    polled_ms: int
    events: tuple[str, ...]
    latest_ms: int | None = None
    read_plan: int = 0
    tail_ms: int = 0
    before_ms: int = 0

    def latest_then_ms(self, changed_ms: int) -> int | None:
        """The latest time that a change which was read before one that has this time can have got, without steps.

        A change that the polls before had not read was made after the server's clock was set last, or shortly before.
        """
        known = [ms for ms in (self.latest_ms, self.tail_ms) if ms and changed_ms <= ms]
        if not known:
            return self.latest_ms
        latest_ms = min(known)
        return max(changed_ms, min(latest_ms, self.before_ms)) if self.before_ms else latest_ms


def partition_of(object_id: str, partitions: int) -> int:
    """The partition that orders the events of an object."""
    return zlib.crc32(object_id.encode()) % partitions


def encode_batches(
    events: Sequence[Event],
    *,
    plan: int,
    polled_ms: int,
    partitions: int,
    size: int,
    latest_ms: int | None = None,
    read_plan: int = 0,
    tail_ms: int = 0,
    before_ms: int = 0,
    signer: Signer = NO_KEY,
    by: Callable[[Event], str] = attrgetter("id"),
) -> list[tuple[int, str]]:
    """Cut events into batches per partition: (partition, text).

    The first line is the head, then comes one event a line, and the signature where there is a key.
    `by`: what keeps events in order: those of one such text share a partition.
    `latest_ms`, `read_plan`, `tail_ms`, `before_ms`: as `Batch` has them, where the clock that stamps changes is known
    to have been set.
    """
    head = {"v": KNOWN["batch"], "plan": plan, "polled_ms": polled_ms}
    if latest_ms is not None:
        head |= {"latest_ms": latest_ms, "read_plan": read_plan}
    head |= {name: ms for name, ms in (("tail_ms", tail_ms), ("before_ms", before_ms)) if ms}
    lines: dict[int, list[str]] = {}
    for event in events:
        lines.setdefault(partition_of(by(event), partitions), []).append(event.to_json())
    batches = []
    for partition, texts in lines.items():
        for start in range(0, len(texts), size):
            first = json.dumps({"id": leases.nonce(), **head})
            text = "\n".join([first, *texts[start : start + size]])
            batches.append((partition, signer.seal(BATCH, str(partition), text)))
    return batches


def decode_batch(text: str) -> Batch:
    """Read a stored batch, whether or not it is signed: who acts on it verifies that before.

    Raises:
        Newer: a later release wrote it: it is left for that release's matchers.
        Unreadable: it is not a batch.
    """
    with reading("batch"):
        head, *lines = parted(text)[0].split("\n")
        fields = json.loads(head)
        check_version("batch", fields["v"])
        polled_ms = int(fields["polled_ms"])
        latest_ms = int(fields.get("latest_ms", polled_ms + STAMP_TOLERANCE_MS))
        rest = {name: int(fields.get(name, 0)) for name in ("read_plan", "tail_ms", "before_ms")}
        return Batch(head, int(fields["plan"]), polled_ms, tuple(lines), latest_ms, **rest)
