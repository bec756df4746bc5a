"""Whoever can write to the broker: ends no worker by remote control, and has nothing taken that is not signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.conftest import redis_binaries
from tests.deploy.hosts import eventually
from tests.deploy.lone_worker import LoneWorker, message
from triggers.base.broker import configuration
from triggers.base.redis_address import RedisAddress
from triggers.base.settings import Settings
from triggers.ledger.deployment import at_work
from triggers.ledger.signing import Signer
from triggers.local.redis_server import PrivateRedis

pytestmark = pytest.mark.slow

KEY = "of-the-scripts-and-workers"
ID = "0123456789abcdef"
ANOTHER = ID[::-1]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    server = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    yield server.start()
    server.stop()


def control(url: str) -> Any:
    client = Celery("somebody", set_as_current=False)
    client.conf.update(configuration(RedisAddress.parse(url)))
    return client.control


def test_remote_control_asks_and_changes_nothing(url: str, tmp_path: Path):
    worker = LoneWorker(url, url, tmp_path)
    try:
        somebody = control(url)
        eventually(lambda: somebody.ping(timeout=1), "it answers")
        for command in (
            "shutdown",
            "pool_shrink",
            "cancel_consumer",
            "rate_limit",
            "revoke",
            "memdump",
            "disable_events",
        ):
            (answer,) = somebody.broadcast(command, arguments={}, reply=True, timeout=60, limit=1)
            assert "error" in answer["lone@here"], command
        for question in ("stats", "active_queues", "registered", "scheduled", "active", "reserved", "revoked", "conf"):
            (answer,) = somebody.broadcast(question, reply=True, timeout=60, limit=1)
            assert "error" not in answer["lone@here"], f"Flower asks for {question}"
        for command in ("enable_events", "of nobody"):  # as Flower does: nobody waits for an answer
            somebody.broadcast(command)
        worker.takes("a hint afterwards")
        assert worker.starts == 1
        assert "pidbox command error" not in worker.log.read_text()
    finally:
        worker.down()


def test_messages_that_are_not_signed_are_refused_and_counted(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "triggers_signing_key").write_text(KEY + "\n")
    worker = LoneWorker(url, url, tmp_path, TRIGGERS_SECRETS_DIR=str(tmp_path / "secrets"))
    try:
        worker.put(message([[ID], {}, {}], id="unsigned"))
        other = Signer(["of-somebody-else-altogether"]).sign("message", "triggers.match", json.dumps([ID]))
        worker.put(message([[ID], {}, {}], id="other", signature=other))
        signature = Signer([KEY]).sign("message", "triggers.match", json.dumps([ID], separators=(",", ":")))
        worker.put(message([[ANOTHER], {}, {}], id="moved", signature=signature))
        worker.put(message([[ID], {}, {}], id="genuine", signature=signature))
        eventually(lambda: "Task triggers.match[genuine] succeeded" in worker.log.read_text(), "the genuine one")
        log = worker.log.read_text()
        assert not [name for name in ("unsigned", "other", "moved") if f"match[{name}]" in log]
        assert log.count("refused a message: ") == 2, "one line for each reason"

        def said() -> bool:
            (running,) = at_work.of(worker.client).values() or [None]
            return running is not None and running.refused == 3 and running.keys == at_work.key_names(of)

        of = Settings(signing_key=(KEY,))
        eventually(said, "the worker says so, and takes what it sends itself")
        assert worker.starts == 1
    finally:
        worker.down()
