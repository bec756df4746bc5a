"""A planned failover: the old primary lives on as a read-only replica, and open connections to it stay open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from tests.conftest import redis_binaries
from tests.integration.ledger.helpers import grant, task_event, task_trigger
from triggers.base import redis_refusals
from triggers.base.errors import EpochChanged, StoreUnavailable
from triggers.base.settings import Settings
from triggers.base.settings import settings as cached
from triggers.ledger import Store, connect, open_ledger
from triggers.local.redis_server import PrivateRedis


class Pair:
    """Two Redises behind one address, which leads to the first until the failover."""

    def __init__(self, folder: Path, binary: str) -> None:
        self.servers = [PrivateRedis(folder / name, server=binary) for name in ("first", "second")]
        self.direct = [connect(server.start()) for server in self.servers]
        self.address = folder / "primary.sock"
        self._lead_to(0)
        self.url = f"unix://{self.address}"

    def _lead_to(self, number: int) -> None:
        path = self.direct[number].connection_pool.connection_kwargs["path"]
        self.address.unlink(missing_ok=True)
        self.address.symlink_to(path)

    def fail_over(self) -> None:
        """The first becomes a read-only replica; who connects from now on reaches the second."""
        self.direct[0].replicaof("127.0.0.1", 1)
        self._lead_to(1)

    def stop(self) -> None:
        for client, server in zip(self.direct, self.servers, strict=True):
            client.close()
            server.stop()


@pytest.fixture(params=sorted(redis_binaries()))
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path, redis_binaries()[request.param])
    yield pair
    pair.stop()


@pytest.mark.parametrize("at_once", [False, True])
def test_the_ledger_finds_the_new_primary(pair: Pair, settings: Settings, at_once: bool) -> None:
    ledger = open_ledger(Store(connect(pair.url)), "one", settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    grant(ledger, task_trigger(), task_event("1" * 32))
    (firing,) = ledger.firings.claim("dispatch", 1, 10).firings
    ledger.firings.record_each([(firing, "t")], "dispatch", 10)
    pair.fail_over()
    with pytest.raises(StoreUnavailable, match=r"read-only replica.*READONLY"):
        ledger.firings.record_each([(firing, "t")], "dispatch", 10) if at_once else ledger.firings.record(firing, "t")
    with pytest.raises(EpochChanged):
        ledger.firings.record(firing, "t")
    ledger.adopt_epoch()
    assert pair.direct[1].exists(ledger.keys.epoch)
    ledger.store.client.close()


def test_hints_reach_the_new_primary(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", pair.url)
    cached.cache_clear()
    from workers.runtime import CeleryHints

    path = f"redis+socket://{pair.address}"
    celery = Celery("sender", broker=path)
    celery.conf.update(task_publish_retry=False, task_ignore_result=True, task_default_queue="match")
    hints = CeleryHints(celery, pair.direct[0], lambda id_: id_)
    hints.send("match", "one")
    pair.fail_over()
    hints.send("match", "one")  # lost: reconcile gives it again
    hints.send("match", "one")
    assert [one.llen("match") for one in pair.direct] == [1, 1]
    celery.close()
    cached.cache_clear()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (redis.exceptions.ReadOnlyError("You can't write against a read only replica."), "READONLY"),
        (
            redis.ResponseError("Error running script (call to f_1): @user_script:5: -READONLY You can't write"),
            "READONLY",
        ),
        (redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "OOM"),
        (redis.ResponseError("MISCONF Redis is configured to save RDB snapshots, but ..."), "MISCONF"),
        (redis.ResponseError("NOREPLICAS Not enough good replicas to write."), "NOREPLICAS"),
        (redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "LOADING"),
        (redis.exceptions.MasterDownError("MASTERDOWN Link with MASTER is down"), "MASTERDOWN"),
        (redis.ResponseError("UNBLOCKED force unblock from blocking operation"), "UNBLOCKED"),
        (redis.exceptions.NoPermissionError("User a has no permissions to run 'evalsha'"), "NOPERM"),
        (redis.exceptions.AuthenticationError("invalid username-password pair"), "WRONGPASS"),
        (redis.exceptions.AuthenticationError("Authentication required."), "NOAUTH"),
        (redis.exceptions.AuthenticationError("HELLO must be called with the client already authenticated"), "NOAUTH"),
        (redis.TimeoutError("Timeout reading from socket"), "TIMEOUT"),
        (redis.ConnectionError("Connection refused"), "CONNECTION"),
        (redis.ResponseError("unknown command 'NOSUCH'"), ""),
        (redis.ResponseError("FENCED the firing was taken by another"), ""),
        (ValueError("READONLY "), ""),
    ],
)
def test_errors_are_known_by_their_class_and_code(error: Exception, code: str) -> None:
    assert redis_refusals.code_of(error) == code
    assert bool(redis_refusals.in_words(error)) == bool(code)


def test_a_redis_out_of_memory_is_reported_as_such(
    ledger: object, redis_client: redis.Redis, settings: Settings
) -> None:
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable, match="maxmemory"):
            open_ledger(Store(redis_client), "two", settings).adopt_epoch()
    finally:
        redis_client.config_set("maxmemory", 0)
