"""Polling's memory: when the next poll is due, how far the server was read, what was seen, what is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

from triggers.base import forms
from triggers.base.errors import Fenced
from triggers.ledger import clock, leases
from triggers.ledger.hinted import to_send
from triggers.ledger.keys import Keys
from triggers.ledger.polling.seen_here import Assumed, seen_as
from triggers.ledger.store import Script, ScriptCall, Store
from triggers.model.events import Event

BEGIN, COMMIT, STAMPS = Script("poll_begin"), Script("poll_commit"), Script("stamps_note")
STRETCH = Script("poll_stretch")

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
        """Read what is kept in Redis; what is not a number counts as never read, and is read again."""
        return cls(**{field.name: forms.number(found.get(field.name)) for field in fields(cls)})


def _scores(events: Sequence[Event]) -> list[str]:
    """Objects and scores, flat."""
    return [part for event in events for part in (event.id, repr(seen_as(event)))]


class Reading:
    """Cursors, seen changes and stored batches of one scheduler."""

    def __init__(self, store: Store, keys: Keys, *, history_length: int) -> None:
        self.store, self.keys, self.history_length = store, keys, history_length

    @contextmanager
    def poll(
        self,
        *,
        pace_seconds: float,
        lease_seconds: float,
        force: bool = False,
        longest_seconds: float = 0.0,
        limit: int | None = None,
    ) -> Iterator[str | None]:
        """Hold the poll lease while the body runs; yields None when no poll is due or another polls.

        `longest_seconds`: how far `stretch` may have moved the next poll; one farther away counts as due.
        `limit`: of calls; with another than the last poll stretched for, what that one found does not hold any more.
        """
        keys = self.keys
        names = [keys.lease("poll"), keys.fence, keys.next_poll, keys.service_watch, keys.registry_version]
        pace, life, longest = int(pace_seconds * 1000), int(lease_seconds * 1000), int(longest_seconds * 1000)
        rest = (POLL_SLACK_MS, int(force), longest, _limit_text(limit))
        token = self.store.run(BEGIN, names, life, leases.nonce(), pace, *rest)
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

    def stretch(self, token: str, seconds: float, *, by_budget: float = 0.0, limit: int | None = None) -> None:
        """Let the next poll wait so much longer, while the lease is held.

        Args:
            token: of the lease.
            seconds: longer than the pace.
            by_budget: of these, for the sake of `limit`; the others since nothing changes, until triggers do.
            limit: of calls, until it is another.
        """
        keys = [self.keys.lease("poll"), self.keys.next_poll, self.keys.service_watch]
        more, of_budget = int(seconds * 1000), int(by_budget * 1000)
        self.store.run(STRETCH, keys, token, more, of_budget, _limit_text(limit))

    def start_anew(self) -> None:
        """Let the next poll be made as if triggers had changed: not later because nothing has changed for long."""
        self.store.client.hdel(self.keys.service_watch, "polled_for")

    def quiet_ms(self) -> int:
        """How long no poll has found a change, ms; since the first poll where none ever has."""
        found: Any = self.store.client.hmget(self.keys.epoch, "changed_ms", "first_polled_ms")
        since_ms = max(map(forms.number, found))
        return max(0, clock.now_ms(self.store.client, self.keys) - since_ms) if since_ms else 0

    def cursor(self, source: str) -> Cursor:
        """How far the source was read; what is not a number counts as never read, and is read again."""
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
        polled_ms = forms.number(found)
        return max(0, now_ms - polled_ms) if polled_ms else 0

    def note_stamps(self, ahead_ms: int) -> None:
        """Remember, at each comparison, how far the clock that stamps changes is ahead of the HTTP `Date`."""
        self.store.run(STAMPS, [self.keys.epoch], ahead_ms)

    def noticed_ms(self, idle_ms: int) -> int:
        """How long it may have taken until it was noticed that the two differ otherwise than before, ms.

        0 unless that was noticed since the last poll, which was `idle_ms` ago.
        """
        with self.store.client.pipeline(transaction=False) as pipe:
            pipe.hmget(self.keys.epoch, "stamps_noted_ms", "stamps_noticed_ms")
            clock.ask(pipe, self.keys)
            (noted, noticed), *now = pipe.execute()
        since_ms = clock.made_of(*now)[0] - forms.number(noted)
        return forms.number(noticed) if noted and since_ms <= idle_ms + 10_000 else 0

    def unseen(self, source: str, events: Sequence[Event]) -> list[Event]:
        """The events whose change no poll has read before."""
        return self.unseen_and_version(source, events)[0]

    def unseen_and_version(self, source: str, events: Sequence[Event]) -> tuple[list[Event], int | None]:
        """The same, and in that trip the registry's version; None where nothing had to be asked."""
        if not events:
            return [], None
        with self.store.client.pipeline(transaction=False) as pipe:
            pipe.zmscore(self.keys.seen(source), [event.id for event in events])
            pipe.get(self.keys.registry_version)
            known, version = pipe.execute()
        fresh = [event for event, seen in zip(events, known, strict=True) if seen != seen_as(event)]
        return fresh, int(version or 0)

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
        assumed: Assumed | None = None,
        noted: Mapping[str, str] | None = None,
    ) -> tuple[bool, bool]:
        """Store batches, cut for so many partitions, and move the cursor in one step.

        `assumed`: what was not asked. Where that is wrong, nothing is stored: ask (`unseen_and_version`) and come back.
        `hints`: what sends a hint, or says that it is to be sent, in the same trip.
        `lease`: whose token it is.
        `noted`: fields of `service_watch`, as the page shows them.
        `server_ms`: the ClearML server's time when the page was read, None where it is of another source.

        Returns:
            Whether it is stored, and whether one of the hints is to be sent, also where nothing is.

        Raises:
            Fenced: the poll lease was lost; nothing was stored, the next poll reads the same again.
        """
        page: dict[str, Any] = {
            "cursor": {name: str(value) for name, value in asdict(cursor).items()},
            "seen": _scores(events),
            "batches": [(self.keys.batches(number), str(number), text) for number, text in batches],
            "forget_before": str(forget_before_ms),
            "server_ms": "" if server_ms is None else str(server_ms),
            "length": str(max(10, self.history_length // 100)),
            "partitions": str(partitions),
        }
        if assumed is not None:
            fresh, known = _scores(assumed.fresh), _scores(assumed.known)
            page["assumed"] = {"version": str(assumed.version), "fresh": fresh, "known": known}
        if noted:
            page["noted"] = noted
        keys = self.keys
        names = [
            keys.lease(lease),
            keys.cursor(source),
            keys.seen(source),
            keys.ready,
            keys.events,
            keys.epoch,
            keys.registry_version,
            keys.service_watch,
        ]
        stored, *hinted = self.store.run_together([(COMMIT, names, (token, json.dumps(page))), *hints])
        if isinstance(stored, Fenced):
            raise stored
        return stored != -1, any(map(to_send, hinted))

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


def _limit_text(limit: int | None) -> str:
    return "" if limit is None else str(limit)
