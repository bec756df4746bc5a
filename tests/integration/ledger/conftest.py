"""The tests of the ledger run once on each Redis that this machine has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import redis_binaries
from triggers.local.redis_server import PrivateRedis


@pytest.fixture(scope="session", params=sorted(redis_binaries()))
def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Redis of each kind in turn."""
    server = PrivateRedis(tmp_path_factory.mktemp("redis"), server=redis_binaries()[request.param])
    yield server.start()
    server.stop()
