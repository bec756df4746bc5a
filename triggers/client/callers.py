"""The threads in which the serving process calls the functions that its script declared."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Final

import redis

from triggers.actions.functions import Function
from triggers.base.errors import EpochChanged, Fenced, Transient
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger.firings.firing import Firing
from triggers.stages.call import carry, claim

log = logger(__name__)

#: Functions that run at the same time in this process.
FUNCTION_THREADS: Final = 8

#: Pause between two looks for firings whose functions this process has to call, seconds.
CALL_LOOK_SECONDS: Final = 0.25

#: Pause after a failed look, seconds.
RETRY_SECONDS: Final = 1.0


class Callers:
    """A fixed number of threads; a function that hangs keeps its own and no other, and never the process.

    One thread looks for work at a time. They are daemons: the process ends without them, and a call that was
    cut off is made again by the next serving process.
    """

    def __init__(self, context: Context, functions: Mapping[str, Function], limit: int = FUNCTION_THREADS) -> None:
        self.context, self.functions = context, functions
        self._ending = threading.Event()
        self._look = threading.Lock()
        self._busy: dict[int, Firing] = {}
        self._threads = [
            threading.Thread(target=self._work, name=f"trigger-function-{number}", daemon=True)
            for number in range(limit if functions else 0)
        ]

    def start(self) -> None:
        """Begin to call."""
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> list[str]:
        """Triggers whose functions run now."""
        return sorted(firing.trigger.partition(":")[2] for firing in list(self._busy.values()))

    def finish(self, patience_seconds: float) -> list[str]:
        """Take nothing more and wait for what runs; the triggers whose functions did not end in time."""
        self._ending.set()
        deadline = time.monotonic() + patience_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return self.running

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                self._call_next()
            except (Transient, Fenced, redis.RedisError) as failure:
                self.context.ledger.store.look_for_primary(failure)
                log.warning("cannot fetch function calls, retrying: %s", failure)
                self._ending.wait(RETRY_SECONDS)
            except Exception:  # a thread that ends here would call nothing until the next start
                log.exception("cannot fetch function calls, retrying")
                self._ending.wait(RETRY_SECONDS)

    def _call_next(self) -> None:
        """Call the function of the next firing; wait a little if there is none."""
        try:
            with self._look:
                claimed = claim(self.context, list(self._busy.values()))
                if claimed is None:
                    self._ending.wait(CALL_LOOK_SECONDS)
                    return
                self._busy[threading.get_ident()] = claimed.firings[0]  # before another looks
            try:
                carry(self.context, claimed, self.functions)
            finally:
                self._busy.pop(threading.get_ident(), None)
        except EpochChanged:
            self.context.begin_epoch()
