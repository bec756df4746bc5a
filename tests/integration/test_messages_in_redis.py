"""What Celery's messages cost on a network, and what becomes of those that were received and not begun."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery import Celery
from kombu import Connection, Consumer

from tests.integration.trips import Trips, trips
from triggers.base.broker import broker_prefix
from triggers.base.settings import Settings, settings

__all__ = ["trips"]

ID = "1" * 16


@pytest.fixture
def celery(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    settings.cache_clear()
    from workers.app import configuration

    made = Celery("sender", set_as_current=False)
    made.conf.update(configuration(Settings(redis_url=redis_url)))
    yield made
    made.close()
    settings.cache_clear()


@pytest.fixture
def hints(celery: Celery, redis_client: redis.Redis) -> Any:
    from workers.runtime import CeleryHints

    return CeleryHints(celery, redis_client, lambda id_: f"scheduler {id_}")


def consuming(celery: Celery, connection: Connection, received: list[Any], prefetch: int = 0) -> Consumer:
    """A consumer as a match worker has one."""
    consumer = Consumer(connection, [celery.amqp.queues["match"]], accept=["json"])
    consumer.register_callback(lambda _, message: received.append(message))
    consumer.qos(prefetch_count=prefetch)
    consumer.consume()
    return consumer


def receive(connection: Connection, received: list[Any], number: int) -> None:
    while len(received) < number:
        connection.drain_events(timeout=60)


def test_a_message_is_received_and_acknowledged_by_one_trip(celery: Celery, hints: Any, trips: Trips) -> None:
    received: list[Any] = []
    with celery.connection() as connection, consuming(celery, connection, received):
        hints.send("match", ID)
        receive(connection, received, 1)
        received.pop().ack()

        def received_and_acknowledged() -> None:
            receive(connection, received, 1)
            received[0].ack()

        hints.send("match", ID)
        assert trips(received_and_acknowledged) <= 1
    assert not celery.connection().default_channel.client.exists("unacked")


def test_a_message_is_sent_by_one_trip(hints: Any, trips: Trips) -> None:
    hints.send("match", ID)
    assert trips(lambda: hints.send("match", ID)) == 1


def test_what_was_received_and_not_begun_goes_back_at_an_orderly_end(
    celery: Celery, hints: Any, redis_client: redis.Redis
) -> None:
    for stage in ("1", "2", "3"):
        hints.send("match", stage * 16)
    queue, received = broker_prefix() + "match", list[Any]()
    with celery.connection() as connection, consuming(celery, connection, received, prefetch=2):
        receive(connection, received, 2)
        received[0].ack()
        assert redis_client.llen(queue) == 1
    assert hints.waiting("match") == {"2" * 16, "3" * 16}
    received.clear()
    with celery.connection() as connection, consuming(celery, connection, received):
        receive(connection, received, 2)
        assert sorted(json.loads(message.body)[0][0] for message in received) == ["2" * 16, "3" * 16]
        for message in received:
            message.ack()
    assert redis_client.llen(queue) == 0


def test_what_was_received_stays_where_the_connection_is_lost(
    celery: Celery, hints: Any, redis_client: redis.Redis, capfd: pytest.CaptureFixture[str]
) -> None:
    """The worker carries it out; kombu would write it to a file, since there is nothing to give it back to."""
    from workers.consumer import Consumer as WorkerConsumer

    hints.send("match", ID)
    received: list[Any] = []
    with celery.connection() as connection, consuming(celery, connection, received) as consumer:
        receive(connection, received, 1)
        WorkerConsumer.keep_received(SimpleNamespace(task_consumer=consumer))  # type: ignore[arg-type]
    received[0].ack()
    assert redis_client.llen(broker_prefix() + "match") == 0
    assert capfd.readouterr().err == ""


def test_a_hint_that_a_script_sends_is_the_one_that_celery_sends(hints: Any, redis_client: redis.Redis) -> None:
    hints.send("match", ID)
    queue, text = hints.message("match", ID)
    assert queue == broker_prefix() + "match"
    (sent,) = redis_client.lrange(queue, 0, -1)  # type: ignore[misc]
    assert comparable(text) == comparable(sent)
    redis_client.lpush(queue, text)
    assert redis_client.llen(queue) == 2
    assert hints.waiting("match") == {ID}


def test_making_one_asks_redis_nothing(hints: Any, trips: Trips) -> None:
    hints.message("match", ID)
    assert trips(lambda: hints.message("match", ID)) == 0


def comparable(text: str) -> dict[str, Any]:
    """A message without what is of its own: ids, and where and when it was made."""
    message: dict[str, Any] = json.loads(text)
    for name in ("id", "root_id"):
        message["headers"].pop(name)
    for name in ("correlation_id", "delivery_tag", "reply_to"):
        message["properties"].pop(name, None)
    return message
