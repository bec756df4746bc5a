"""News for open pages: one look a second at what has changed, however many pages are open, and a budget for all.

A page that hears of a change asks for its content anew. With many pages open that costs more than the looks, so pages
are notified less often the more of them are open: together they use at most `BUDGET` of one core.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import redis
from starlette.concurrency import run_in_threadpool

from triggers.base.errors import TriggersError
from triggers.console.schedulers import Schedulers, ShownScheduler

#: Seconds between two looks, and the least between two updates of one page.
LOOK_SECONDS: Final = 1.0
#: The longest that a page waits for an update, however many are open.
MOST_SECONDS: Final = 30.0
#: The share of one core that updates of open pages may take together.
BUDGET: Final = 0.04
#: Seconds of silence after which a line is sent to find out whether the browser is still there.
SILENCE_SECONDS: Final = 15.0


class Hub:
    """Tells open pages that something has changed."""

    def __init__(self, schedulers: Schedulers) -> None:
        self._schedulers = schedulers
        self._pages = 0
        self._seen: dict[str, Any] = {}
        self._versions: dict[str, int] = {}
        self._changed = asyncio.Condition()
        self._watch: asyncio.Task[None] | None = None
        self._cost = 0.01  # processor seconds that one update has taken lately
        self._updates, self._used = 0, time.process_time()

    def note_update(self) -> None:
        """Learn that a page was updated."""
        self._updates += 1

    def _learn_cost(self) -> None:
        """What an update costs: what the process has used since the last look, its answers and looks included."""
        used = time.process_time()
        if self._updates:
            self._cost += ((used - self._used) / self._updates - self._cost) / 4
        self._updates, self._used = 0, used

    @property
    def pause_seconds(self) -> float:
        """How long one page waits between two updates."""
        return min(max(LOOK_SECONDS, self._pages * self._cost / BUDGET), MOST_SECONDS)

    def version(self, id_: str) -> int:
        """How often a scheduler has changed while pages were open."""
        return self._versions.get(id_, 0)

    async def follow(self, id_: str, shown: int | None = None) -> AsyncIterator[str]:
        """Lines of server-sent events for one open page, until it is closed; `shown`: the version that it shows."""
        self._pages += 1
        if self._watch is None:
            self._watch = asyncio.create_task(self._look_on())
        told = self.version(id_) if shown is None else shown
        try:
            yield "retry: 2000\n\nevent: open\ndata: \n\n"
            while True:
                await self._wait(id_, told)
                if self.version(id_) != told:
                    told = self.version(id_)
                    yield "event: changed\ndata: \n\n"
                    pause = self.pause_seconds
                    while pause > SILENCE_SECONDS:  # proxies end what is silent
                        await asyncio.sleep(SILENCE_SECONDS)
                        pause -= SILENCE_SECONDS
                        yield ": \n\n"
                    await asyncio.sleep(pause)
                else:
                    yield ": \n\n"
        finally:
            self._pages -= 1
            if not self._pages and self._watch is not None:
                self._watch.cancel()
                self._watch = None

    async def _wait(self, id_: str, told: int) -> None:
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    self._changed.wait_for(lambda: self.version(id_) != told), timeout=SILENCE_SECONDS
                )

    async def _look_on(self) -> None:
        self._updates, self._used = 0, time.process_time()
        while True:
            begun = time.monotonic()
            changed = await run_in_threadpool(self._look)
            self._learn_cost()
            if changed:
                async with self._changed:
                    for id_ in changed:
                        self._versions[id_] = self.version(id_) + 1
                    self._changed.notify_all()
            await asyncio.sleep(max(0.0, LOOK_SECONDS - (time.monotonic() - begun)))

    def _look(self) -> list[str]:
        """The schedulers that look otherwise than the last time; also when Redis has gone or come back."""
        changed = []
        try:
            shown = self._schedulers.all()
        except (TriggersError, redis.RedisError):
            shown = []
        for one in shown:
            now = _looks(one)
            if self._seen.get(one.id) != now:
                self._seen[one.id] = now
                changed.append(one.id)
        return changed


def _looks(one: ShownScheduler) -> Any:
    """What changes whenever a page would look otherwise, by few and small requests."""
    ledger = one.target.ledger
    try:
        one.activity.read_on()
        cursors = tuple(ledger.times_polled_ms())
        alarms = tuple(sorted(ledger.history.alarms()))
        return ledger.history.newest_id(), ledger.registry.version(), ledger.audit.head(), alarms, cursors
    except (TriggersError, redis.RedisError):
        return "away"
