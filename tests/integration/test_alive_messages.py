"""A worker sends itself few messages while its queues bring answers, and ends in time when they bring none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery.worker import state

from triggers.base.settings import settings


class Watched:
    """The watch of a worker, by a clock of its own; it takes what it sends itself, unless it is deaf."""

    def __init__(self, watchdog: Any, answers: Any) -> None:
        self.now, self.sent, self.is_deaf, self.watchdog, self.answers = 1000.0, 0, False, watchdog, answers
        celery = SimpleNamespace(send_task=self.send, amqp=SimpleNamespace(queues=SimpleNamespace(consume_from={})))
        self.role = watchdog.WorkerRole(celery, "watched@here", 2)

    def send(self, name: str, **_: Any) -> None:
        self.sent += 1
        if not self.is_deaf:
            state.total_count[name] += 1

    def run(self, seconds: float) -> str:
        """Look for so long, or until it is found to be stuck: why."""
        until = self.now + seconds
        while self.now < until:
            self.now += self.watchdog.LOOK_SECONDS
            if not self.is_deaf:
                self.answers._at = self.now - 1
            if why := self.role.stuck(self.now):
                return str(why)
        return ""


@pytest.fixture
def watched(redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    settings.cache_clear()
    from workers import watchdog

    answers = watchdog.BrokerAnswers()
    monkeypatch.setattr(state, "total_count", Counter())
    monkeypatch.setattr(watchdog, "answers", answers)
    monkeypatch.setattr(watchdog, "beat", watchdog.BeatRole())
    made = Watched(watchdog, answers)
    yield made
    made.role.client.close()
    settings.cache_clear()


def test_while_its_queues_bring_answers_it_asks_every_five_minutes(watched: Watched) -> None:
    assert watched.run(600) == ""
    assert watched.sent == 2


def test_one_whose_queues_bring_none_ends_within_42_seconds(watched: Watched) -> None:
    """As when it sent itself a message every ten seconds: ten, thirty until it is missed, and a look."""
    watched.run(100)
    watched.is_deaf, began = True, watched.now
    assert "has taken nothing" in watched.run(60)
    assert watched.now - began <= 42


def test_one_that_takes_what_it_sends_itself_stays_whatever_its_queues_bring(watched: Watched) -> None:
    watched.run(100)
    before, watched.answers = watched.sent, watched.watchdog.BrokerAnswers()  # nobody notes them any more
    assert watched.run(120) == ""
    assert 10 <= watched.sent - before <= 14, "every ten seconds, as there is no other sign"


def test_answers_are_those_to_the_question_for_messages_with_one_or_without(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def read(**_: Any) -> Any:
        one = found.pop()
        if isinstance(one, Exception):
            raise one
        return one

    channel = SimpleNamespace(handlers={"BRPOP": read})
    watched.answers.listen(channel)
    monkeypatch.setattr("workers.watchdog.time.monotonic", lambda: 50.0)
    for one, seconds in ((redis.ConnectionError(), float("inf")), (Empty(), 0.0), (True, 0.0)):
        watched.answers._at = -float("inf")
        found.append(one)
        with suppress(Empty, redis.ConnectionError):
            assert channel.handlers["BRPOP"]() is True
        assert found == []
        assert watched.answers.silent_seconds(50.0) == seconds
