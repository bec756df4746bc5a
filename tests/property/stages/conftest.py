"""Several Redis servers, so that one can stand for another run of the other, and a world without real time."""

from __future__ import annotations

import itertools
import logging
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import redis

from tests.clocks.stepping import SteppedClock
from tests.conftest import redis_binaries
from tests.property.stages.actors import renewing
from triggers.actions import attempt
from triggers.actions.launching import reads
from triggers.ledger import connect, leases
from triggers.local.redis_server import PrivateRedis
from triggers.sandbox import calls

#: so many restarts of Redis in one example, less one
SERVERS = 3


@pytest.fixture(scope="session")
def redis_clock(tmp_path_factory: pytest.TempPathFactory) -> SteppedClock:
    """The wall clock of all of them."""
    return SteppedClock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="session")
def redis_servers(tmp_path_factory: pytest.TempPathFactory, redis_clock: SteppedClock) -> Iterator[list[redis.Redis]]:
    """Running servers of the oldest supported Redis."""
    binary = next(iter(redis_binaries().values()))
    servers = [PrivateRedis(tmp_path_factory.mktemp("redis"), server=binary) for _ in range(SERVERS)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in redis_clock.environ.items():
            patch.setenv(name, value)
        clients = [connect(server.start(), timeout_seconds=30) for server in servers]
    yield clients
    for client, server in zip(clients, servers, strict=True):
        client.close()
        server.stop()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, redis_clock: SteppedClock) -> Iterator[SimpleNamespace]:
    """What would be chance or real time is counted instead, and leases are renewed when the test says so."""
    clock = SimpleNamespace(skew_seconds=0.0, redis_ahead=0)

    def step_redis(seconds: int) -> None:
        """Set Redis' clock forward or back, or let so much time pass."""
        clock.redis_ahead += seconds
        redis_clock.set(clock.redis_ahead)

    clock.step_redis = step_redis

    def counted() -> Callable[[], uuid.UUID]:
        numbers = itertools.count(1)
        return lambda: uuid.UUID(int=next(numbers))

    monkeypatch.setattr(calls, "uuid4", counted())
    monkeypatch.setattr(leases, "renewing", renewing)
    real = reads.since_epoch_ms
    monkeypatch.setattr(reads, "since_epoch_ms", lambda ctx: real(ctx) + int(clock.skew_seconds * 1000))
    monkeypatch.setattr(attempt, "random", SimpleNamespace(random=lambda: 0.5))

    def begin() -> None:
        """A new example: the same numbers again."""
        clock.skew_seconds = 0.0
        step_redis(-clock.redis_ahead)
        monkeypatch.setattr(calls, "uuid4", counted())

    clock.begin = begin
    logging.disable(logging.CRITICAL)
    yield clock
    logging.disable(logging.NOTSET)
