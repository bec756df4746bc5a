"""For how long this process serves its scheduler: it renews the lease, and sees what ends it from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis

from triggers.base.errors import EpochChanged, Fenced, Permanent, Transient
from triggers.base.logs import logger
from triggers.client.abort_watch import AbortWatch
from triggers.client.election import Election
from triggers.context import Context
from triggers.context.api_account import ApiAccount
from triggers.sync import renewal

log = logger(__name__)

#: Pause between two looks at what polls have seen of the service task, seconds.
ABORT_SECONDS: Final = 1.0


@dataclass(slots=True)
class Tenure:
    """The time for which one process serves a scheduler. A thread of its own calls `keep`.

    Attributes:
        context: The scheduler as this process sees it.
        election: Renews the lease.
        account: Gets the API calls that were counted.
        abort: Sees that a person aborts the service task; None if that ends this process without us.
        register_again: Declares the triggers on a Redis that came back empty; None if there are none.
        clock: Monotonic.
        aborted: Whether a person aborted the service task.
        lost: Why this process may not serve the scheduler any longer, "" while it may.
    """

    context: Context
    election: Election
    account: ApiAccount
    abort: AbortWatch | None
    register_again: Callable[[], object] | None
    clock: Callable[[], float] = time.monotonic
    aborted: bool = False
    lost: str = ""
    _renew_at: float = 0.0

    def __post_init__(self) -> None:
        self._renew_at = self.clock() + self.pause_seconds

    @property
    def pause_seconds(self) -> float:
        """Pause between two renewals of the lease."""
        return self.context.settings.lease_seconds / 3

    @property
    def is_over(self) -> bool:
        """Whether something from outside has ended it."""
        return self.aborted or bool(self.lost)

    def keep(self, stopping: threading.Event, stop: Callable[[], object]) -> None:
        """Keep serving until `stopping` is set; call `stop` when it is over."""
        while not stopping.wait(min(ABORT_SECONDS, self.pause_seconds)):
            self.look()
            if self.is_over:
                stop()
                return

    def look(self) -> None:
        """See whether the service task was aborted; renew the lease if that is due. What fails is tried again."""
        try:
            try:
                self._look()
            except EpochChanged:
                self.context.begin_epoch()
        except (Transient, Fenced, redis.RedisError) as failure:
            log.warning("could not renew the lease, retrying: %s", failure)
        except Permanent as failure:
            log.error("%s", failure)
        except Exception:  # a thread that ends here would let the lease expire
            log.exception("could not renew the lease, retrying")

    def _look(self) -> None:
        if self.abort is not None and self.abort.is_aborted():
            self.aborted = True
            log.warning("the service task %s was aborted; shutting down", self.context.service_task)
        elif self.clock() >= self._renew_at:
            self._renew_at = self.clock() + self.pause_seconds
            self._renew()

    def _renew(self) -> None:
        """Renew the lease, and register again on a Redis that came back empty."""
        ledger = self.context.ledger
        self.account.settle(ledger.calls, self.context.api)
        other = self.election.renew(ledger)
        if other is not None:
            self.lost = f"{other} took over this scheduler"
            log.error("%s; shutting down", self.lost)
        elif self.register_again is not None and ledger.registry.version() == 0:
            log.warning("Redis came back empty; registering again")
            self.register_again()
            self.context.begin_epoch()
        elif not ledger.is_entered():
            alarm = ledger.history.alarms().get(renewal.REDIS_ALARM, {}).get("text", "")
            self.lost = alarm or "the scheduler was removed from this Redis"
