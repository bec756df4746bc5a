"""Celery's consumer, except that a message which makes no sense is rejected instead of ending the worker.

Celery lets what a body of another shape raises end the worker, and puts the message back for the next one: a single
message would keep every worker of its queue from working.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer
from vine import promise

from triggers.logs import logger

log = logger(__name__)

#: What a message of another shape brings about; failures of the connection are none of these.
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Named by the setting `worker_consumer`."""

    def create_task_handler(self, promise: Any = promise) -> Callable[[Any], Any]:
        """What is done with each message."""
        handle = super().create_task_handler(promise)

        def checked(message: Any) -> Any:
            try:
                return handle(message)
            except _NONSENSE as fault:
                shown = repr(getattr(message, "headers", None))
                log.error(
                    "a message that makes no sense is rejected (%s: %s): %.200s", type(fault).__name__, fault, shown
                )
                message.reject_log_error(log, self.connection_errors)
                return None

        return checked
