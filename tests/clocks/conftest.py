"""A world whose Redis has a wall clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks.stepping import SteppedClock
from tests.conftest import redis_binaries
from tests.integration.stages.conftest import World
from triggers.base.settings import Settings
from triggers.ledger import Store, connect, open_ledger
from triggers.local.redis_server import PrivateRedis
from triggers.sandbox import Sandbox


@pytest.fixture
def clock(tmp_path: Path) -> SteppedClock:
    """A clock for processes to start with."""
    return SteppedClock(tmp_path)


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def stepped_redis(clock: SteppedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateRedis]:
    """A Redis on that clock."""
    redis = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    with monkeypatch.context() as patch:
        for name, value in clock.environ.items():
            patch.setenv(name, value)
        redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def world(server: Sandbox, stepped_redis: PrivateRedis, settings: Settings) -> Iterator[World]:
    """One scheduler on that Redis."""
    server.control.reset()
    client = connect(stepped_redis.url)
    ledger = open_ledger(Store(client), "stepped", settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    world = World(server, ledger, settings.model_copy(update={"lease_seconds": 2.0}))
    yield world
    world.client.close()
    client.close()
