"""A simulation of months under one limit: schedulers, worker processes, Redis and its clock, and what disturbs them.

Every decision is the product's own (`ApiAccount`, `api_budget`, `counted_calls`); Redis is `BookInMemory`, and every
clock is that of the simulation. Time is in seconds since the first of November.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from tests.property.budget.book import BookInMemory, Kept
from triggers.base.errors import ServerBusy
from triggers.clearml_api.calls import CallTally
from triggers.context.api_account import IN_HAND, ApiAccount
from triggers.rules.api_budget import month_of, poll_seconds, polls_are_over
from triggers.sync.counted_calls import CountedCalls, counted
from triggers.sync.saved_state import Saved

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = 3600.0, 86_400.0
#: How often launches that wait are tried again, the state is saved, and Redis copied, seconds.
RETRY, SAVE, COPY = 600.0, HOUR, 6 * HOUR
#: Requests of a launch.
PER_LAUNCH = 3


@dataclass
class Client:
    """What `ApiAccount` knows of an `Api`, over a server that only counts."""

    month: Month
    worker: Worker
    spend: Callable[[str], None] | None = None
    new_pause: None = None
    shown_host: str = "server"
    paused_until: float = 0.0
    gate: Any = field(default_factory=lambda: SimpleNamespace(is_open_again=False, why="", open=lambda: None))
    is_trying: bool = False

    @property
    def pause_seconds(self) -> float:
        return max(0.0, self.paused_until - self.month.now)

    def pause(self, pause: Any) -> None:
        self.gate.why = pause.why
        self.paused_until = max(self.paused_until, self.month.now + pause.seconds)

    def call(self, cause: str) -> None:
        if self.month.now < self.paused_until:
            raise ServerBusy("paused", self.paused_until - self.month.now)
        with self.worker.tally.request():
            if self.spend is not None:
                self.spend(cause)
            self.month.sent[self.month.name][cause] += 1
            self.worker.tally.add("endpoint", 200, cause)


class Worker:
    """A process; one that is killed leaves what it had in hand, and takes what it counted with it."""

    def __init__(self, month: Month) -> None:
        self.month, self.tally = month, CallTally()
        self.account = ApiAccount(month.limit, clock=lambda: month.now, tally=self.tally)
        self.client = Client(month, self)

    def make(self, number: int, cause: str, *, dies_after: int | None = None) -> int:
        """Make calls as a stage does; how many were made."""
        made, book, api = 0, cast(Any, self.month.book), cast(Any, self.client)
        self.account.settle(book, api)
        with suppress(ServerBusy):
            for _ in range(number):
                self.client.call(cause)
                made += 1
                if dies_after is not None and made >= dies_after:
                    return made
        self.account.settle(book, api, force=self.account.has_calls)
        return made


@dataclass
class Scheduler:
    """One that polls so many sources, at most so often.

    `longest`: the longest pause between two polls, but for the time in which no call was left for polls; `firsts`: by
    month, when it polled first.
    """

    sources: int
    pace: float
    polls: int = 0
    polled_at: float = 0.0
    had_calls: bool = True
    longest: float = 0.0
    firsts: dict[str, float] = field(default_factory=dict)


class Month:
    """Everything that shares one limit."""

    def __init__(self, limit: int, schedulers: list[tuple[int, float]], *, workers: int = 2) -> None:
        self.now, self.limit, self.ahead, self.steps = 0.0, limit, 0.0, 0
        self.book = BookInMemory(lambda: self.redis_now)
        self.sent: dict[str, Counter[str]] = defaultdict(Counter)
        self.workers = [Worker(self) for _ in range(workers)]
        self.schedulers: list[Scheduler] = []
        self.waiting = 0  # launches
        self.promotions = 0
        self.refused_early = 0  # launches that were refused while calls were left
        self.limits: dict[str, int] = {}
        #: calls that no Redis knows of any more, and those of them that were made since the last save, by month
        self.forgotten, self.unsaved = Counter[str](), Counter[str]()
        self.saved, self.sent_at_save = "", Counter[str]()
        self.copies: list[Kept] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = self._limits = 0
        for one in schedulers:
            self.add_scheduler(*one)
        self.at(SAVE, self._save_on)
        self.at(COPY, self._copy_on)

    @property
    def redis_now(self) -> datetime:
        return FIRST + timedelta(seconds=self.now + self.ahead)

    @property
    def name(self) -> str:
        return month_of(self.redis_now)

    def at(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it so many seconds from now."""
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, do))

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, do = heapq.heappop(self._events)
            do()
        self.now = until

    # ---- what goes on ----
    def add_scheduler(self, sources: int, pace: float) -> None:
        scheduler = Scheduler(sources, pace, polled_at=self.now)
        self.schedulers.append(scheduler)
        self.at(0.0, lambda: self._poll(scheduler, self._limits))

    def remove_scheduler(self) -> None:
        if len(self.schedulers) > 1:
            self.schedulers.pop()

    def _poll(self, scheduler: Scheduler, limits: int) -> None:
        if scheduler not in self.schedulers or limits != self._limits:
            return  # gone; or due at once since the limit is another: `set_limit`
        self.limits[self.name] = max(self.limits.get(self.name, 0), self.limit)
        were_over = polls_are_over(self.limit, self.gone)
        made = self.workers[scheduler.polls % len(self.workers)].make(scheduler.sources, "poll")
        scheduler.polls += 1
        if made:
            if scheduler.had_calls:
                scheduler.longest = max(scheduler.longest, self.now - scheduler.polled_at)
            scheduler.firsts.setdefault(self.name, self.now)
        scheduler.had_calls = not polls_are_over(self.limit, self.gone)
        if made or were_over:
            scheduler.polled_at = self.now
        calls = scheduler.sources * len(self.schedulers)
        wait = poll_seconds(self.limit, self.book.usage(), calls_per_poll=calls, pace_seconds=scheduler.pace)
        self.at(wait, lambda: self._poll(scheduler, limits))

    @property
    def gone(self) -> int:
        usage = self.book.usage()
        return usage.made + usage.lent

    def launch(self, number: int) -> None:
        """So many firings are to be launched now; those that cannot be are tried again."""
        before, self.waiting = self.waiting, self.waiting + number
        if not before:
            self._launch()

    def _launch(self) -> None:
        worker = self.workers[-1]
        while self.waiting:
            left, is_paused = self.limit - self.gone, worker.client.paused_until > self.now
            if (made := worker.make(PER_LAUNCH, "launch")) < PER_LAUNCH:
                left = min(left, self.limit - self.gone + made)  # Redis may have forgotten some, which count again
                self.refused_early += left >= PER_LAUNCH and not is_paused
                self.at(RETRY, self._launch)
                return
            self.waiting -= 1
        self.at(20.0, self.save)

    def by_people(self, number: int) -> None:
        """Verbs: counted, and not held up."""
        self.book.settle({("verb", "endpoint", "ok"): number}, None)
        self.sent[self.name]["verb"] += number

    # ---- what disturbs it ----
    def kill_worker(self, n: int, calls: int) -> None:
        """A worker dies in the middle of something, and another comes in its place."""
        n %= len(self.workers)
        self.workers[n].make(calls + 1, "sync", dies_after=calls)
        self.workers[n] = Worker(self)

    def set_limit(self, limit: int) -> None:
        """Every worker is restarted with another limit; polls are due at once."""
        self.limit, self._limits = limit, self._limits + 1
        for n in range(len(self.workers)):
            self.workers[n] = Worker(self)
        for scheduler in self.schedulers:
            self._poll_at_once(scheduler)

    def _poll_at_once(self, scheduler: Scheduler) -> None:
        limits = self._limits
        self.at(0.0, lambda: self._poll(scheduler, limits))

    def step_clock(self, seconds: float) -> None:
        self.ahead, self.steps = self.ahead + seconds, self.steps + 1

    def save(self) -> None:
        """What the service task keeps."""
        calls = CountedCalls.of(self.book.usage()).to_fields()
        self.saved = Saved(int(self.now * 1000), 1, calls=calls).to_json()
        self.sent_at_save[self.name] = sum(self.sent[self.name].values())

    def _save_on(self) -> None:
        self.save()
        self.at(SAVE, self._save_on)

    def _copy_on(self) -> None:
        self.copies = [*self.copies[-5:], self.book.kept.copy()]
        self.at(COPY, self._copy_on)

    def lose_redis(self, older: int | None) -> None:
        """Redis comes back empty, or as it was in a copy; the saved state says how many calls were made."""
        known = older is not None and older < len(self.copies)
        self.book.kept = self.copies[-1 - (older or 0)].copy() if known else Kept()
        for month, calls in counted([self.saved], int(self.now * 1000)).items():
            self.book.restore(month, *calls)
        name = self.name
        made = sum(self.sent[name].values())
        self.unsaved[name] += made - self.sent_at_save[name]
        self.forgotten[name] = max(self.forgotten[name], made - self.gone)

    def fail_over(self, seconds: float) -> None:
        """Another Redis takes the place of this one so much later, and knows nothing of what was written since now."""
        copy = self.book.kept.copy()
        self.at(seconds, lambda: self._promote(copy))

    def _promote(self, copy: Kept) -> None:
        self.book.kept = copy
        self.promotions += 1

    # ---- what is asked of it ----
    def most(self, name: str) -> int:
        """Calls that a month may come to: the limit, what nobody holds up, and what no Redis remembers.

        Where Redis' clock is set, what a process has in hand may be of another month.
        """
        in_hand = self.steps * 2 * IN_HAND * len(self.workers)
        return self.limits.get(name, self.limit) + self.sent[name]["verb"] + max(0, self.forgotten[name]) + in_hand
