"""What Redis refuses is one line a minute in the log of a worker, whoever logs it and however."""

from __future__ import annotations

import logging
import sys

import pytest
import redis
from kombu import Connection
from kombu.exceptions import OperationalError

from triggers.base.errors import StoreUnavailable
from triggers.base.logs import USERS_CODE, Seldom, logger
from workers.calm import Calm

FULL = redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.now, self.lines = 0.0, list[str]()
        self.addFilter(Calm(Seldom(clock=lambda: self.now)))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


@pytest.fixture
def handler() -> Lines:
    handler = Lines()
    for name in ("celery.worker", "triggers.ours", "a_users_module"):
        logging.getLogger(name).handlers = [handler]
        logging.getLogger(name).propagate = False
    return handler


def wrapped(inner: Exception, outer: Exception) -> Exception:
    try:
        raise outer from inner
    except type(outer) as error:
        return error


def test_a_hint_that_goes_back_into_its_queue_is_not_logged(handler: Lines) -> None:
    said = logging.getLogger("kombu.transport.virtual.base")
    said.handlers, said.propagate = [handler], False
    with Connection("memory://") as connection:
        # as one that comes in when the consumers of a worker that ends have gone
        connection.transport._deliver({}, "poll")
    said.warning("anything else")
    assert handler.lines == ["anything else"]


def test_a_refusal_is_logged_once_a_minute_by_whichever_logger(handler: Lines) -> None:
    ours, foreign = logger("triggers.ours"), logging.getLogger("celery.worker")
    ours.warning("could not send the tick %s: %s", "poll", FULL)
    ours.warning("something: %s", wrapped(FULL, StoreUnavailable("no")))
    foreign.error("consumer: Cannot connect to %s: %s", "redis://", wrapped(FULL, OperationalError("no")))
    try:
        raise FULL
    except redis.RedisError:
        foreign.warning("will retry", exc_info=True)
    (line,) = handler.lines
    assert line == (
        "Redis cannot be used: it has reached its maxmemory: raise it, and keep maxmemory-policy at noeviction (OOM); "
        "retrying"
    )
    handler.now = 61.0
    foreign.warning("again %r", FULL)
    assert handler.lines[1:] == [f"{line} (3 times more since)"]


def test_another_refusal_and_other_errors_are_logged(handler: Lines) -> None:
    foreign = logging.getLogger("celery.worker")
    foreign.warning("one: %s", FULL)
    foreign.warning("two: %s", redis.exceptions.ReadOnlyError("You can't write"))
    foreign.warning("three: %s", ValueError("of another kind"))
    foreign.warning("four: %s %s", redis.ResponseError("unknown command"), {"a": 1})
    foreign.warning("five %(a)s", {"a": 1})
    assert [line.partition(":")[0] for line in handler.lines] == [
        "Redis cannot be used", "Redis cannot be used", "three", "four", "five 1",
    ]  # fmt: skip


def test_what_ends_the_process_is_always_logged_without_a_traceback(handler: Lines) -> None:
    foreign = logging.getLogger("celery.worker")
    for _ in range(2):
        try:
            raise FULL
        except redis.RedisError:
            foreign.critical("Unrecoverable error: %r", sys.exc_info()[1], exc_info=True)
    assert len(handler.lines) == 2
    assert all("OOM" in line and "retrying" not in line and "\n" not in line for line in handler.lines)


def test_what_users_code_says_of_a_redis_of_its_own_is_left_as_it_is(handler: Lines) -> None:
    for _ in range(2):
        try:
            raise redis.ConnectionError("the user's own Redis is gone")
        except redis.RedisError:
            logging.getLogger("a_users_module").warning("cannot count", exc_info=True)
            logger("triggers.ours").exception("trigger %r: its function failed", "t", extra={USERS_CODE: True})
    assert len(handler.lines) == 4
    assert all("Traceback" in line and "retrying" not in line for line in handler.lines)
