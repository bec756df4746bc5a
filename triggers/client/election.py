"""Which process serves a scheduler: one at a time, an equal one stands by, a different one is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import redis

from triggers.base.errors import EpochChanged, Transient, TriggersError, Usage
from triggers.base.logs import logger
from triggers.base.redis_address import refuse_unsupported
from triggers.base.redis_rights import refuse_lacking
from triggers.base.settings import Settings
from triggers.base.terminal import say
from triggers.client.rival import Rival
from triggers.ledger import Ledger, Store, connect, open_ledger
from triggers.ledger.deployment.leaders import Held, Leader
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.local.private_files import state_folder
from triggers.local.redis_server import PrivateRedis, running_url

log = logger(__name__)

#: Pause between two looks of a process that stands by, seconds.
STANDBY_SECONDS: Final = 0.5

#: Schedulers that this process serves.
_here: set[str] = set()
_here_lock = threading.Lock()


class Election:
    """The Redis of a scheduler, and the lease "home" on it, which makes a process the serving one."""

    def __init__(
        self, scheduler: Scheduler, settings: Settings, holder: Leader, adopt: Callable[[Ledger], object]
    ) -> None:
        """Prepare; `adopt` learns the run of Redis that a ledger is on."""
        self._adopt = adopt
        self.scheduler, self.settings, self.holder = scheduler, settings, holder
        self.redis: PrivateRedis | None = None
        self._rival, self._told = Rival(), False
        self._token = ""
        self._entered = False

    @property
    def folder(self) -> Path:
        """Where a private Redis of the scheduler keeps its file."""
        return state_folder(self.settings.state_folder) / self.scheduler.id

    def connect(self) -> Ledger:
        """The ledger on the Redis of the settings or on a private one, which is started."""
        return self._open(self.settings.redis_url) if self.settings.redis_url else self._start()

    def enter(self) -> Ledger:
        """Wait until no other process serves the scheduler, then serve it.

        Raises:
            Usage: the serving process declares other triggers, or is this process.
        """
        with _here_lock:
            if self.scheduler.id in _here:
                raise Usage(
                    f"the scheduler {self._name} already runs in this process: add all triggers to one "
                    "TriggerScheduler, or give each its own force_create_task_name"
                )
            _here.add(self.scheduler.id)
            self._entered = True
        ledger = self._connect_waiting()
        while (held := self._try(ledger)) is not None:
            self._stand_by(held)
        return ledger

    def visit(self) -> Ledger:
        """Connect beside the serving process, if there is one.

        Raises:
            Usage: the serving process declares other triggers.
        """
        url = self.settings.redis_url or running_url(self.folder)
        ledger = self._open(url) if url else self._start()
        self._adopt(ledger)
        # nobody who is alive can serve on a private Redis that was started here
        while self.redis is None and (held := ledger.homes.held()) is not None and not self._is_equal(held):
            self._stand_by(held)
        return ledger

    def renew(self, ledger: Ledger) -> Leader | None:
        """Renew the lease, or take it again after Redis lost it; return another process that has it, else None."""
        if ledger.homes.renew(self._token, self.settings.lease_seconds):
            return None
        self._token, other = ledger.homes.enter(self.holder, self.settings.lease_seconds)
        return None if other is None or other.leader == self.holder else other.leader

    def resign(self, ledger: Ledger) -> None:
        """Release the lease, so that the next process takes over at once."""
        try:
            ledger.homes.leave(self._token)
        except (TriggersError, redis.RedisError) as failure:
            if self.redis is not None:  # the next process starts it again, and takes the lease with it
                return
            log.warning("could not release the lease, the next process can take over when it expires: %s", failure)

    def leave(self) -> None:
        """End the private Redis, if one was started here. May be called twice."""
        if self.redis is not None:
            self.redis.stop()
        if self._entered:
            self._entered = False
            with _here_lock:
                _here.discard(self.scheduler.id)

    @property
    def _name(self) -> str:
        return f"{self.scheduler.project}/{self.scheduler.name}"

    def _try(self, ledger: Ledger) -> Held | None:
        """Take the lease, or return who has it. A process that stands by survives a restart of Redis or ClearML.

        Whoever has started the private Redis has its folder, which a living owner keeps: a lease that is found there
        is of a process that was killed.
        """
        said = ""
        while True:
            try:
                self._adopt(ledger)
                self._token, other = ledger.homes.enter(
                    self.holder, self.settings.lease_seconds, alone=self.redis is not None
                )
            except (EpochChanged, Transient, redis.ConnectionError, redis.TimeoutError) as failure:
                if said != str(failure):  # it may last for minutes
                    said = str(failure)
                    log.warning("cannot tell which process serves %s: %s; retrying", self._name, said)
                time.sleep(STANDBY_SECONDS)
            else:
                return other

    def _connect_waiting(self) -> Ledger:
        """Open the ledger; wait for a private Redis that another process runs."""
        while True:
            url = self.settings.redis_url
            if url:
                return self._open(url)
            busy = running_url(self.folder)
            if not busy:
                try:
                    return self._start()
                except Usage:
                    busy = running_url(self.folder)
                    if not busy:
                        raise
            if (held := self._held_at(busy)) is not None:
                self._stand_by(held)
            else:
                time.sleep(STANDBY_SECONDS)

    def _held_at(self, url: str) -> Held | None:
        """The serving process by a Redis that another process runs; None while that Redis does not answer."""
        try:
            with connect(url) as client:
                return open_ledger(Store(client), self.scheduler.id, self.settings).homes.held()
        except redis.RedisError:
            return None

    def _start(self) -> Ledger:
        self.redis = PrivateRedis(self.folder, server=self.settings.redis_server)
        return self._open(self.redis.start())

    def _open(self, url: str) -> Ledger:
        client = connect(url)
        refuse_unsupported(client, url)
        refuse_lacking(client, url)
        return open_ledger(Store(client), self.scheduler.id, self.settings)

    def _is_equal(self, held: Held) -> bool:
        return held.leader.content in ("", self.holder.content)

    def _stand_by(self, held: Held) -> None:
        """Wait for a moment while another process serves, or may: say so once.

        Raises:
            Usage: it declares other triggers, and is alive. After one that was killed, wait: its lease ends.
        """
        other = held.leader
        if self._is_equal(held):
            said = f"{other} serves {self._name}; standing by to take over"
        elif self._rival.is_alive(held):
            raise Usage(
                f"the scheduler {self._name} is served by {other}, which declares other triggers than {self.holder}: "
                "end it first, or give this one a name of its own (force_create_task_name)"
            )
        else:
            said = f"{other}, which declares other triggers, served {self._name} last; waiting to see whether it runs"
        if not self._told:
            self._told = True
            say(f"triggers: {said}")
        time.sleep(STANDBY_SECONDS)
