"""Celery's consumer, except that a message which makes no sense is rejected instead of ending the worker.

Celery lets what a body of another shape raises end the worker, and puts the message back for the next one: a single
message would keep every worker of its queue from working. A message of the right form is not the culprit when taking it
fails: the worker ends, says so, and another one gets the message, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer
from vine import promise

from triggers.base.logs import logger
from triggers.base.messages import fault_of

log = logger(__name__)

#: What a message of another shape brings about; failures of the connection are none of these.
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, NotImplementedError)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Named by the setting `worker_consumer`."""

    def create_task_handler(self, promise: Any = promise) -> Callable[[Any], Any]:
        """What is done with each message."""
        handle = super().create_task_handler(promise)

        def checked(message: Any) -> Any:
            try:
                return handle(message)
            except _NONSENSE as fault:
                self._reject_or_end(message, fault)
                return None

        return checked

    def _reject_or_end(self, message: Any, fault: Exception) -> None:
        wrong = fault_of(message, self.app.tasks)
        if wrong:
            shown = repr(getattr(message, "headers", None))
            log.error(
                "a message that makes no sense is rejected (%s; %s: %s): %.200s",
                wrong,
                type(fault).__name__,
                fault,
                shown,
            )
        elif (getattr(message, "delivery_info", None) or {}).get("redelivered"):
            log.error("a message that has ended another worker is rejected (%s: %s)", type(fault).__name__, fault)
        else:
            log.critical(
                "this worker cannot take messages (%s: %s) and ends; the message is for another one",
                type(fault).__name__,
                fault,
            )
            raise fault
        message.reject_log_error(log, self.connection_errors)
