"""Whose objects this worker's credentials reach: known before it serves a scheduler, and while they are accepted.

The address of a server is not enough: a server has many workspaces. With the key pair of another one a worker would
read other objects, move the cursor past changes that it cannot see, and launch what it must not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from triggers.base.errors import Refused, TriggersError, Usage
from triggers.clearml_api import identity
from triggers.clearml_api.credentials import Credentials
from triggers.ledger.deployment.schedulers import Scheduler
from workers.watched_api import WatchedApi

#: How long the worker waits before it asks again who it is, while the server accepts no credentials, seconds.
_ASK_AGAIN_SECONDS: Final = 10.0
#: How long after the first question that the server did not answer; twice as long after each further one.
_ASK_SOON_SECONDS: Final = 1.0

_WAY_OUT: Final = "give it a key pair of the scheduler's workspace, or stop it"


class Identity:
    """The API client of this process, and the workspace that it reaches. Threads share it.

    Credentials are read again while the server accepts none, so that exchanged ones count without a restart.
    """

    def __init__(self, timeout_seconds: float, *, prepare: Callable[[WatchedApi], None]) -> None:
        """Prepare; nothing is asked. `prepare`: each client, before its first call."""
        self._timeout_seconds, self._prepare = timeout_seconds, prepare
        self._resolve, self._clock = Credentials.resolve, time.monotonic
        self._asking = threading.Lock()
        self._ask_at = 0.0
        self._unanswered = 0
        self._workspace = ""
        self.api: WatchedApi | None = None
        self.fault = ""

    def known(self) -> bool:
        """Whether the workspace is known and the credentials are accepted; asks where they are not, now and then."""
        if self.api is not None and self.api.refused:
            self._say(self.api.refused)
        if self._workspace and not self.fault:
            return True
        with self._asking:
            if self._clock() >= self._ask_at:
                self._ask()
                self._ask_at = self._clock() + self._pause_seconds()
        return bool(self._workspace) and not self.fault

    def why_not(self, scheduler: Scheduler) -> str:
        """Why this worker leaves a scheduler alone, "" when it serves it."""
        title = f"{scheduler.project}/{scheduler.name}"
        if not self.known() or self.api is None:
            return f"{title} is not served by this worker: {self.fault}"
        host = self.api.credentials.host
        if scheduler.host != host:
            return (
                f"{title} is not served by this worker: its ClearML server is {scheduler.host}, this worker's is {host}"
            )
        if scheduler.workspace != self._workspace:
            mine, its = self._workspace, scheduler.workspace
            return (
                f"{title} is not served by this worker: its workspace is {its}, that of this worker's key pair "
                f"{mine}; {_WAY_OUT}"
            )
        return ""

    def _pause_seconds(self) -> float:
        """A server that fails for a moment must not keep the worker waiting; one that refuses will go on refusing."""
        if not self._unanswered:
            return _ASK_AGAIN_SECONDS
        return float(min(_ASK_AGAIN_SECONDS, _ASK_SOON_SECONDS * 2 ** min(self._unanswered - 1, 10)))

    def _ask(self) -> None:
        unanswered, self._unanswered = self._unanswered, 0
        try:
            credentials = self._resolve()
            if self.api is None or self.api.credentials != credentials:
                self.api, self._workspace = WatchedApi(credentials, timeout_seconds=self._timeout_seconds), ""
                self._prepare(self.api)
            self._workspace = identity(self.api)
        except Refused as refusal:
            self._say(str(refusal))
        except Usage as missing:
            self.fault = f"{missing}"
        except TriggersError as failure:
            self.fault = f"cannot tell yet whose credentials these are: {failure}"
            self._unanswered = unanswered + 1
        else:
            self.api.refused = self.fault = ""

    def _say(self, refusal: str) -> None:
        self.fault = f"the ClearML server refuses this worker's key pair ({refusal}): {_WAY_OUT}"
