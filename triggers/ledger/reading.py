"""Polling's memory: when the next poll is due, how far the server was read, what was seen, batches stored."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from operator import attrgetter
from typing import Any, Final

from triggers.base import forms
from triggers.base.errors import Fenced
from triggers.base.formats import KNOWN, check_version, reading
from triggers.ledger import clock, leases
from triggers.ledger.keys import Keys
from triggers.ledger.signing import NO_KEY, Signer, parted
from triggers.ledger.store import Script, ScriptCall, Store
from triggers.model.events import Event
from triggers.rules.policies import STAMP_TOLERANCE_MS

BEGIN, COMMIT, STAMPS = Script("poll_begin"), Script("poll_commit"), Script("stamps_note")
STRETCH = Script("poll_stretch")

#: What the signature of a batch is of, with the partition.
BATCH: Final = "batch of partition"

#: A tick this much early still polls: with ticks and paces of one second every other poll would be missed.
POLL_SLACK_MS = 300


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one source was read. `plan`: registry version of the plan that read it; 0: never read.

    `overlapped_ms`, `swept_ms`: server time of the last overlap read and sweep (`sources.windows`).
    `ahead_ms`: where the cursor stood before the server's clock was set back, until that time comes again; else 0.
    `tail_ms`: no change made before that clock was set last can have got a later time; 0 where it no longer matters.
    `latest_ms`: no change that was read up to now can have got a later time, unless before that clock was set back.
    """

    read_to_ms: int = 0
    plan: int = 0
    overlapped_ms: int = 0
    swept_ms: int = 0
    ahead_ms: int = 0
    tail_ms: int = 0
    latest_ms: int = 0

    @classmethod
    def of(cls, found: Mapping[str, str]) -> Cursor:
        """Read what is kept in Redis; what is no number counts as never read, and is read again."""
        return cls(**{field.name: _number(found.get(field.name)) for field in fields(cls)})


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


def _seen_as(event: Event) -> float:
    """The change as a score: its time in ms, and behind the point ten bits of what was read.

    An object may change again in the millisecond in which it was read, and no change after that: its time alone
    would pass the second state for the first. A project's new name is no change of what lies in it.
    """
    return event.changed_ms + zlib.crc32(replace(event, project="").to_json().encode()) % 1024 / 1024


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
        Unreadable: it is no batch.
    """
    with reading("batch"):
        head, *lines = parted(text)[0].split("\n")
        fields = json.loads(head)
        check_version("batch", fields["v"])
        polled_ms = int(fields["polled_ms"])
        latest_ms = int(fields.get("latest_ms", polled_ms + STAMP_TOLERANCE_MS))
        rest = {name: int(fields.get(name, 0)) for name in ("read_plan", "tail_ms", "before_ms")}
        return Batch(head, int(fields["plan"]), polled_ms, tuple(lines), latest_ms, **rest)


class Reading:
    """Cursors, seen changes and stored batches of one scheduler."""

    def __init__(self, store: Store, keys: Keys, *, history_length: int) -> None:
        self.store, self.keys, self.history_length = store, keys, history_length

    @contextmanager
    def poll(
        self, *, pace_seconds: float, lease_seconds: float, force: bool = False, longest_seconds: float = 0.0
    ) -> Iterator[str | None]:
        """Hold the poll lease while the body runs; yields None when no poll is due or another polls.

        `longest_seconds`: how far `stretch` may have moved the next poll; one farther away counts as due.
        """
        names = [self.keys.lease("poll"), self.keys.fence, self.keys.next_poll]
        pace, life = int(pace_seconds * 1000), int(lease_seconds * 1000)
        token = self.store.run(
            BEGIN, names, life, leases.nonce(), pace, POLL_SLACK_MS, int(force), int(longest_seconds * 1000)
        )
        if not token:
            yield None
            return

        def extend() -> None:
            if not leases.renew(self.store, self.keys, "poll", token, lease_seconds):
                raise Fenced("the poll lease was taken by another")

        try:
            with leases.renewing(lease_seconds / 3, extend):
                yield str(token)
        finally:
            leases.release(self.store, self.keys, "poll", token)

    def stretch(self, token: str, seconds: float) -> None:
        """Let the next poll wait so much longer, while the lease is held."""
        self.store.run(STRETCH, [self.keys.lease("poll"), self.keys.next_poll], token, int(seconds * 1000))

    def quiet_ms(self) -> int:
        """How long no poll has found a change, ms; since the first poll where none ever has."""
        found: Any = self.store.client.hmget(self.keys.epoch, "changed_ms", "first_polled_ms")
        since_ms = max(map(_number, found))
        return max(0, clock.now_ms(self.store.client, self.keys) - since_ms) if since_ms else 0

    def cursor(self, source: str) -> Cursor:
        """How far the source was read; what is no number counts as never read, and is read again."""
        found: Any = self.store.client.hgetall(self.keys.cursor(source))
        return Cursor.of(found)

    def stamps_ms(self) -> int:
        """How far the server's clock that stamps changes is ahead of its `Date`, ms."""
        ahead: Any = self.store.client.hget(self.keys.epoch, "stamps_ms")
        return int(ahead) if ahead and ahead.lstrip("-").isdigit() else 0

    def idle_ms(self, source: str) -> int:
        """How long nothing of a source was stored, ms; 0 if unknown.

        One that was never read counts as read with the last of the server's other sources, and where none was, with the
        first registration, whose time is the registry's first version.
        """
        now_ms = clock.now_ms(self.store.client, self.keys)
        found: Any = self.store.client.hget(self.keys.cursor(source), "polled_ms")
        found = found or self.store.client.hget(self.keys.epoch, "polled_ms")
        found = found or self.store.client.get(self.keys.registry_version)
        polled_ms = _number(found)
        return max(0, now_ms - polled_ms) if polled_ms else 0

    def note_stamps(self, ahead_ms: int) -> None:
        """Remember how far the clock that stamps changes is ahead of the HTTP `Date`."""
        self.store.run(STAMPS, [self.keys.epoch], ahead_ms)

    def unseen(self, source: str, events: Sequence[Event]) -> list[Event]:
        """The events whose change has not been stored before."""
        if not events:
            return []
        known: Any = self.store.client.zmscore(self.keys.seen(source), [event.id for event in events])
        return [event for event, seen in zip(events, known, strict=True) if seen != _seen_as(event)]

    def seen_ms(self, source: str, object_id: str) -> int | None:
        """The last change of an object that was stored, ms; None when none is remembered."""
        score: Any = self.store.client.zscore(self.keys.seen(source), object_id)
        return None if score is None else int(score)

    def commit(
        self,
        source: str,
        token: str,
        cursor: Cursor,
        events: Sequence[Event],
        batches: Sequence[tuple[int, str]],
        *,
        forget_before_ms: int,
        server_ms: int | None,
        partitions: int = 0,
        lease: str = "poll",
        hints: Sequence[ScriptCall] = (),
    ) -> bool:
        """Store batches, cut for so many partitions, and move the cursor in one step.

        `hints`: what says whether to send a hint, in the same trip; whether one of them is to be sent.
        `lease`: whose token it is.
        `server_ms`: the ClearML server's time when the page was read, None where it is of another source.

        Raises:
            Fenced: the poll lease was lost; nothing was stored, the next poll reads the same again.
        """
        page = {
            "cursor": {name: str(value) for name, value in asdict(cursor).items()},
            "seen": [part for event in events for part in (event.id, repr(_seen_as(event)))],
            "batches": [(self.keys.batches(number), str(number), text) for number, text in batches],
            "forget_before": str(forget_before_ms),
            "server_ms": "" if server_ms is None else str(server_ms),
            "length": str(max(10, self.history_length // 100)),
            "partitions": str(partitions),
        }
        keys = self.keys
        names = [
            keys.lease(lease),
            keys.cursor(source),
            keys.seen(source),
            keys.ready,
            keys.events,
            keys.epoch,
        ]
        stored, *hinted = self.store.run_together([(COMMIT, names, (token, json.dumps(page))), *hints])
        if isinstance(stored, Fenced):
            raise stored
        return any(hinted)

    def partitions(self, wanted: int) -> int:
        """How many partitions to cut the next batches for: the number that waiting events were cut for, else `wanted`.

        Call it holding the poll lease. With another number, events of one object would wait in two partitions, and the
        later one might be matched first.
        """
        with self.store.client.pipeline(transaction=True) as pipe:
            pipe.hget(self.keys.epoch, "partitions")
            pipe.exists(self.keys.ready)
            pipe.exists(self.keys.undecided_partitions)
            known, waiting, undecided = pipe.execute()
        return int(known) if known and str(known).isdigit() and (waiting or undecided) else wanted

    def waiting_partitions(self) -> list[int]:
        """Partitions that hold batches, those waiting longest first."""
        found: Any = self.store.client.zrange(self.keys.ready, 0, -1)
        return [int(partition) for partition in found if forms.partition_of(partition) is not None]

    def first_batch(self, partition: int) -> str | None:
        """The text of the oldest batch of a partition."""
        text: Any = self.store.client.lindex(self.keys.batches(partition), 0)
        return None if text is None else str(text)

    def long_waiting(self, seconds: float) -> list[int]:
        """Partitions whose oldest batch has been the oldest for so long, by the ledger's clock."""
        before_ms = clock.now_ms(self.store.client, self.keys) - int(seconds * 1000)
        found: Any = self.store.client.zrangebyscore(self.keys.ready, "-inf", before_ms)
        return [int(partition) for partition in found if forms.partition_of(partition) is not None]


def _number(text: str | None) -> int:
    try:
        return int(float(text or 0))
    except (ValueError, OverflowError):
        return 0
