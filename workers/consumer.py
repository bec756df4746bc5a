"""Celery's consumer, except that a message which makes no sense is rejected before anything is done with it.

Celery lets what a body of another shape raises end the worker, and puts the message back for the next one: a single
message would keep every worker of its queue from working. A message of the right form is not the culprit when taking it
fails: the worker ends, says so, and another one gets the message, once.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import redis
from celery.exceptions import CPendingDeprecationWarning
from celery.worker.consumer import Consumer as CeleryConsumer
from vine import promise

from triggers.base.logs import Seldom, logger
from triggers.base.messages import Shape, fault_of
from triggers.stages import table
from workers import refusals, signed, watchdog
from workers.watchdog import ALIVE

log = logger(__name__)

#: Pause after Redis has refused, until it is tried again.
REFUSED_PAUSE_SECONDS: Final = 1.0

#: Longest pause between two attempts to connect, seconds.
RECONNECT_PAUSE_SECONDS: Final = 2.0

#: The arguments of each Celery task that is ever sent.
_SENT: Final = {
    **{stage.task: Shape(stage.arguments, table.along(stage)) for stage in table.STAGES if stage.queues},
    ALIVE: Shape(),
}

#: What a message brings about that Celery cannot take; failures of the connection are none of these.
_MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, NotImplementedError)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Named by the setting `worker_consumer`."""

    def create_task_handler(self, promise: Any = promise) -> Callable[[Any], Any]:
        """What is done with each message."""
        handle = super().create_task_handler(promise)
        watchdog.answers.listen(self.task_consumer.channel)
        seldom = Seldom()

        def checked(message: Any) -> Any:
            if wrong := fault_of(message, _SENT):
                self._reject(message, f"rejected an invalid message ({wrong})", seldom.suffix(wrong))
            elif wrong := signed.fault_of(message):
                refusals.count(wrong)
                self._reject(message, f"refused a message: {wrong}", seldom.suffix(wrong))
            else:
                try:
                    return handle(message)
                except _MALFORMED as fault:
                    self._reject_or_end(message, fault)
            return None

        return checked

    def _reject(self, message: Any, why: str, suffix: str | None) -> None:
        if suffix is not None:
            log.error("%s%s: %.200s", why, suffix, repr(getattr(message, "headers", None)))
        message.reject_log_error(log, self.connection_errors)

    def ensure_connected(self, conn: Any) -> Any:
        """Connect as Celery does, but keep trying at a short pace.

        Celery adds two seconds to its pause after each failure, up to 30: a worker would start work again half a minute
        after a Redis that was away for long, and its watch, which asks Redis itself, would take it for stuck.
        """
        conn.ensure_connection = partial(conn.ensure_connection, interval_max=RECONNECT_PAUSE_SECONDS)
        return super().ensure_connected(conn)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Wait a moment before the next attempt: what Redis refuses, it refuses at once."""
        super().on_connection_error_before_connected(exc)
        _pause(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """The same where a connection was there."""
        self.keep_received()
        with warnings.catch_warnings():  # about canceling tasks that are acknowledged late: there are none here
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)
        _pause(exc)

    def keep_received(self) -> None:
        """Let what was received stay here: it will be carried out, and nothing can be given back now.

        Else kombu tries to, and leaves a file with each message that it could not.
        """
        consumer = getattr(self, "task_consumer", None)
        if consumer is not None and consumer.channel is not None:
            consumer.channel.qos.restore_at_shutdown = False

    def _reject_or_end(self, message: Any, fault: Exception) -> None:
        told = getattr(message, "delivery_info", None)
        if not isinstance(told, dict) or told.get("redelivered"):
            log.error("rejected a message that has ended another worker (%s: %s)", type(fault).__name__, fault)
        else:
            told["redelivered"] = True  # it goes back to its queue when this process ends
            log.critical(
                "this worker cannot take messages (%s: %s) and exits; another worker takes the message",
                type(fault).__name__,
                fault,
            )
            raise fault
        message.reject_log_error(log, self.connection_errors)


def _pause(error: Exception) -> None:
    if isinstance(error, redis.ResponseError):
        time.sleep(REFUSED_PAUSE_SECONDS)
