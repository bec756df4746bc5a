"""Storing: a page of changes becomes batches, by one trip to Redis.

What of a page is new, a poll takes from what its process remembers; the script that stores the page verifies that. Only
where it is wrong, or where a new trigger has to see what was seen, Redis is asked first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triggers.context import Context
from triggers.ledger.looks.poll_look import PollLook
from triggers.ledger.polling.batches import encode_batches
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.polling.seen_here import Assumed, SeenHere
from triggers.model.events import Event
from triggers.sources import Source
from triggers.sources.windows import Advance, Window
from triggers.stages.concern import concerning
from triggers.stages.partitions import partitions_now


@dataclass(frozen=True, slots=True)
class PageStore:
    """What one page is stored with.

    Attributes:
        ctx: The scheduler.
        source: Whose page it is.
        token: Of the poll lease.
        look: As the poll began.
        version: The registry's then.
        before: The cursor before the page.
        moved: How the page moves it.
        after: The cursor after it.
        window: What was asked for.
        now_ms: The time of the clock that stamps changes.
        noted: What the page shows of service tasks (`service_watch.seen_with`).
    """

    ctx: Context
    source: Source
    token: str
    look: PollLook
    version: int
    before: Cursor
    moved: Advance
    after: Cursor
    window: Window
    now_ms: int
    noted: Mapping[str, str]

    def store(self, events: Sequence[Event]) -> int:
        """Store those that are new and concern a trigger; how many were stored."""
        seen: SeenHere = self.ctx.seen.setdefault(self.source.name, SeenHere())
        hint, stored = False, None
        if events and not self.window.again:
            hint, stored = self._store_assuming(seen.assume(events, self.version))
        if stored is None:
            seen.forget()
            fresh, registered = self._fresh(events)
            stored = concerning(self.ctx, fresh, registered)
            hint |= self._commit(fresh, stored, None)[1]
        seen.note(events)
        if hint:
            self.ctx.hints.send("match", self.ctx.ledger.scheduler)
        return len(stored)

    def _store_assuming(self, assumed: Assumed) -> tuple[bool, list[Event] | None]:
        """Store it without asking; whether to hint, and what was stored: None where something was not as assumed."""
        concerned = concerning(self.ctx, assumed.fresh, assumed.version)
        stored, hint = self._commit(assumed.fresh, concerned, assumed)
        return hint, concerned if stored else None

    def _fresh(self, events: Sequence[Event]) -> tuple[list[Event], int | None]:
        """What was not seen, and for new triggers what was: not what was stamped before the clock was set back.

        With it the registry's version as it was then, None if unknown.
        """
        later = {event.id for event in events if event.changed_ms > self.after.latest_ms}
        asked = [event for event in events if event.id in later] if self.window.again else events
        unseen, version = self.ctx.ledger.reading.unseen_and_version(self.source.name, asked)
        if self.window.again:
            return [event for event in events if event.id not in later or event in unseen], version
        return unseen, version

    def _commit(self, fresh: Sequence[Event], concerned: Sequence[Event], assumed: Assumed | None) -> tuple[bool, bool]:
        """Whether it is stored, and whether to hint at it."""
        ctx, partitions = self.ctx, partitions_now(self.ctx, self.look) if concerned else 0
        batches = encode_batches(concerned, partitions=partitions, **self._batch_fields())
        return ctx.ledger.reading.commit(
            self.source.name,
            self.token,
            self.after,
            fresh,
            batches,
            forget_before_ms=self.after.read_to_ms - int(ctx.settings.sweep_window_seconds * 2000),
            server_ms=self.now_ms if self.source.by_server_clock else None,
            partitions=partitions,
            hints=[call for _, call in ctx.hinting(["match"] if batches else [])],
            assumed=assumed,
            noted=self.noted,
        )

    def _batch_fields(self) -> dict[str, Any]:
        """The fields that every batch of the page carries."""
        before, ahead = self.before, self.after.ahead_ms
        return {
            "plan": self.version,
            "polled_ms": self.now_ms,
            "size": self.ctx.settings.batch_events,
            "signer": self.ctx.ledger.signer,
            "latest_ms": self.after.latest_ms if ahead else None,
            "read_plan": before.plan,
            "tail_ms": self.moved.tail_ms,
            "before_ms": before.latest_ms if before.ahead_ms or ahead else 0,
        }
