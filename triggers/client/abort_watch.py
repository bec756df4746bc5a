"""Whether a person aborted the service task: by what polls see of it, in place of the SDK's monitor.

That monitor asks the ClearML server every two seconds, a million calls a month. Polls read what changes anyway, and
sync looks where they do not; only while neither is known to go on, the serving process asks itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from triggers.base.errors import Refused, ServerBusy, ServerUnavailable
from triggers.base.logs import logger
from triggers.clearml_api import Api, service
from triggers.ledger import Ledger
from triggers.ledger.deployment.schedulers import Scheduler

log = logger(__name__)

#: Statuses of a service task that nobody aborted; `published` and others end what it stands for.
_SERVING: Final = ("created", "queued", "in_progress")

#: Pause between two questions of our own while polls do not see the service task, seconds.
ASK_SECONDS: Final = 20.0

#: The same after a question that got no answer, unless the server asks for a longer pause.
ASK_AGAIN_SECONDS: Final = 5.0


def silence(handle: Any) -> None:
    """End the SDK's monitor of a task, which pings it and asks for its status."""
    monitor = getattr(handle, "_dev_worker", None)
    if monitor is not None:
        monitor.unregister()


class AbortWatch:
    """Looks at what polls have seen of one service task; asks the server only where that says too little."""

    def __init__(
        self, api: Api, ledger: Ledger, scheduler: Scheduler, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api, self._ledger, self._scheduler, self._clock = api, ledger, scheduler, clock
        self._changed_ms, self._ask_at, self._silent_until = 0, clock() + ASK_SECONDS, 0.0

    def is_aborted(self) -> bool:
        """Whether the task was stopped, failed, or asked to stop, since the last look.

        False while the server has to be asked and gives no answer: a later look asks again.
        """
        now = self._clock()
        if now < self._silent_until:
            return False
        seen = self._ledger.service_watch.read()
        is_ours = seen.task == self._scheduler.service_task
        if not is_ours or seen.status in _SERVING:
            if seen.is_known or now < self._ask_at:
                return False
        elif seen.changed_ms == self._changed_ms and now < self._ask_at:  # the server contradicted it
            return False
        try:
            aborted = self._ask()
        except ServerUnavailable as failure:
            pause = failure.seconds if isinstance(failure, ServerBusy) else 0.0
            self._silent_until = now + max(ASK_AGAIN_SECONDS, pause)
            if not pause:  # the account of calls says so already
                log.warning("cannot ask whether the service task was aborted; retrying: %s", failure)
            return False
        self._changed_ms, self._ask_at = seen.changed_ms, now + max(ASK_SECONDS, seen.pause_ms / 1000)
        return aborted

    def _ask(self) -> bool:
        status, message = service.read_status(self._api, self._scheduler.service_task)
        if status == "in_progress":
            return "stopping" in message
        return bool(status) and status not in _SERVING and "worker" not in message

    def end(self, handle: Any) -> None:
        """Let the task be stopped, as the SDK does: one that was only asked to stop is still in progress.

        Args:
            handle: the SDK's object, which would complete the task as this process ends.
        """
        hook = getattr(type(handle), "_Task__exit_hook", None)
        if hook is not None:
            hook.remote_user_aborted = True
        with suppress(Refused):
            service.stopped(self._api, self._scheduler.service_task, "USER ABORTED")
