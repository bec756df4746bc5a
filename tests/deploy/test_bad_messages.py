"""Messages that make no sense, in the queue of a real worker: it goes on, and nothing of them comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import redis_binaries
from tests.deploy.hosts import eventually
from tests.deploy.lone_worker import QUEUE, LoneWorker, message
from triggers.base.broker import broker_prefix
from triggers.local.redis_server import PrivateRedis

pytestmark = pytest.mark.slow

ID = "0" * 32

#: what Celery or the consumer rejects
REJECTED = {
    "a body that is not JSON": message(b"garbage"),
    "a body of another shape": message("x"),
    "a body that is a dictionary": message({"a": 1}),
    "an unknown task, as of a later release": message([[], {}, {}], task="triggers.of_a_later_release"),
    "a task that has no name": message([[ID], {}, {}], task=None),
    "a task whose name is a dictionary": message([[ID], {}, {}], task={"a": 1}),
    "too many arguments": message([["a", "b", "c", "d"], {}, {}]),
    "unknown arguments": message([[], {"x": 1}, {}]),
    "arguments of other types": message([[{"a": 1}, ["b"]], {}, {}]),
    "a scheduler that is none": message([[None], {}, {}]),
    "a body of five million characters": message([["x" * 5_000_000], {}, {}]),
    "a pickle": message(b"cos\nsystem\n(S'exit'\ntR.", content="application/x-python-serialize"),
    "no id": message([[ID], {}, {}], id=None),
    "a time that is none": message([[ID], {}, {}], eta="nonsense"),
    "an end that is none": message([[ID], {}, {}], expires="nonsense"),
    "numbers that are none": message([[ID], {}, {}], retries="x", timelimit="x"),
    "nothing but a pair of braces": "{}",
    "no headers": '{"body": "x", "properties": {"delivery_tag": "t", "delivery_info": null}, "headers": {}}',
}
#: what is not even a message: Celery's transport ends the worker
NO_MESSAGES = ["garbage", "", "null", "[]", "[" * 100_000, b"\xff\x00", message([[], {}, {}], encoding="nonsense")]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[LoneWorker]:
    server = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    worker = LoneWorker(server.start(), server.start(), tmp_path)
    yield worker
    worker.down()
    server.stop()


def test_a_message_that_makes_no_sense_is_rejected_and_the_worker_goes_on(worker: LoneWorker):
    for what, raw in REJECTED.items():
        worker.put(raw)
        worker.takes(f"a hint after {what}")
        assert worker.starts == 1, what
    eventually(
        lambda: not worker.client.exists(broker_prefix() + "unacked", broker_prefix() + QUEUE),
        "nothing of them comes back",
    )
    log = worker.log.read_text()
    assert log.count("rejected an invalid message") >= 3
    assert "triggers.of_a_later_release" in log


def test_an_entry_that_is_no_message_ends_its_worker_once_and_is_gone(worker: LoneWorker):
    for raw in NO_MESSAGES:
        starts = worker.starts
        worker.put(raw)
        worker.takes(f"a hint after {raw[:20]!r}")
        assert worker.starts <= starts + 1
    assert not worker.client.exists(broker_prefix() + "unacked", broker_prefix() + QUEUE)
