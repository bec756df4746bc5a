"""One line a minute while Redis refuses or is away, in place of what each part of Celery, kombu and this project logs.

All of them go on trying, each in its own words, some with a traceback for every attempt: that fills the log and hides
the one thing that a person has to know. What worries without a reason is not logged at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from kombu.transport.virtual.base import W_NO_CONSUMERS

from triggers.base import redis_refusals
from triggers.base.logs import USERS_CODE, Seldom, shown_value

#: Whose lines are about the Redis of this project.
_OF_WORKERS: Final = frozenset({"celery", "kombu", "triggers", "workers"})


class Calm(logging.Filter):
    """Lets the first line about a refusal through, in words, and one a minute while it lasts. For handlers."""

    def __init__(self, seldom: Seldom | None = None) -> None:
        super().__init__()
        self._seldom = seldom or Seldom()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is logged; one that ends the process always is."""
        if record.msg == W_NO_CONSUMERS:  # a hint came in while the worker ended: it lies in its queue again
            return False
        refusal = next(_refusals(record), None) if _is_of_workers(record) else None
        if refusal is None:
            return True
        suffix = self._seldom.suffix(redis_refusals.code_of(refusal))
        if suffix is None and record.levelno < logging.CRITICAL:
            return False
        then = "" if record.levelno >= logging.CRITICAL else "; retrying"
        record.msg, record.args = "%s%s%s", (redis_refusals.said(refusal), then, suffix or "")
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def _is_of_workers(record: logging.LogRecord) -> bool:
    """Whether the line is about the Redis that workers use. Users' functions log too, and may fail by one of theirs."""
    return record.name.partition(".")[0] in _OF_WORKERS and not getattr(record, USERS_CODE, False)


def _refusals(record: logging.LogRecord) -> Iterator[BaseException]:
    """What a line says of a Redis that cannot be used now."""
    values: list[Any] = list(record.args) if isinstance(record.args, tuple) else []
    if isinstance(record.exc_info, tuple):
        values.append(record.exc_info[1])
    for value in map(shown_value, values):
        error = value if isinstance(value, BaseException) else None
        while error is not None:
            if redis_refusals.code_of(error):
                yield error
            error = error.__cause__ or error.__context__
