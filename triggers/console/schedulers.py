"""The schedulers that the console shows, each with its ledger open and its history indexed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import redis

from triggers.base.errors import EpochChanged, TriggersError, Usage
from triggers.base.settings import Settings
from triggers.console.activity import Activity
from triggers.context.api_account import hand_in
from triggers.ledger import connect
from triggers.ledger.api_budget.api_account import CallBook
from triggers.ledger.deployment import schedulers
from triggers.operate.target import Target, is_meant, open_known, running, title

T = TypeVar("T")

#: Seconds between two looks for schedulers that have come or gone.
_LOOK_SECONDS: Final = 5.0


@dataclass(frozen=True)
class ShownScheduler:
    """One scheduler; `url`: of the Redis that has it."""

    target: Target
    activity: Activity
    url: str

    @property
    def id(self) -> str:
        """Its id, as addresses have it."""
        return self.target.scheduler.id

    @property
    def title(self) -> str:
        """PROJECT/NAME of its service task."""
        return title(self.target.scheduler)

    def asked(self, ask: Callable[[], T]) -> T:
        """What a question to the ledger brings, also when Redis has restarted since the last one."""
        try:
            return ask()
        except EpochChanged:
            self.target.ledger.know_run()
            return ask()


class Schedulers:
    """Those on the Redis of the settings, or on the private ones that run. Threads may share it."""

    def __init__(self, of: Settings, choice: str | None = None) -> None:
        self.settings, self.choice = of, choice
        self._lock = threading.Lock()
        self._clients: dict[str, redis.Redis] = {}
        self._shown: dict[str, ShownScheduler] = {}
        self._look_at = 0.0

    def all(self) -> list[ShownScheduler]:
        """Those that there are now, by title.

        Raises:
            StoreUnavailable, redis.RedisError: no answer, and none was known before.
        """
        with self._lock:
            if time.monotonic() >= self._look_at or not self._shown:
                self._look()
                self._look_at = time.monotonic() + _LOOK_SECONDS
            return sorted(self._shown.values(), key=lambda one: one.title)

    @property
    def are_several(self) -> bool:
        """Whether there were several at the last look."""
        return len(self._shown) > 1

    def get(self, id_: str) -> ShownScheduler | None:
        """The one with that id."""
        return next((one for one in self.all() if one.id == id_), None)

    def clients(self) -> list[redis.Redis]:
        """Connections to each Redis that a look has found."""
        with suppress(TriggersError, redis.RedisError):
            self.all()
        return list(self._clients.values())

    def _look(self) -> None:
        try:
            self._shown = {
                one.id: one
                for url, where in running(self.settings)
                for one in self._on(url, where)
                if self._is_meant(one)
            }
        except (Usage, redis.RedisError):
            if not self._shown:
                raise
            # Redis restarts: what is known stays, and each page says that it is away

    def _on(self, url: str, where: str) -> list[ShownScheduler]:
        """Those of one Redis; one that was open already stays as it is, unless it says something new of itself."""
        client = self._clients.get(url) or self._clients.setdefault(url, connect(url))
        hand_in(CallBook(client))
        found = []
        for id_, scheduler in schedulers.all_of(client).items():
            known = self._shown.get(id_)
            if known is None or known.url != url:
                ledger = open_known(client, scheduler, self.settings)
                activity = Activity(ledger.happenings(), 2 * self.settings.history_length)
                known = ShownScheduler(Target(scheduler, ledger, self.settings, True, where), activity, url)
            elif known.target.scheduler != scheduler:
                known = replace(known, target=replace(known.target, scheduler=scheduler))
            found.append(known)
        return found

    def _is_meant(self, one: ShownScheduler) -> bool:
        return self.choice is None or is_meant(one.target.scheduler, self.choice)

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()
