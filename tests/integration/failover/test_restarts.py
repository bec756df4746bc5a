"""Everything that follows or waits outlives a Redis that is killed and comes back with its data."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.conftest import SCRIPT, Desk, desk, eventually
from tests.integration.failover.restarting import OwnRedis
from tests.integration.ledger.helpers import grant, task_event, task_trigger
from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path / "own redis")
    yield server
    server.stop()


class Followed:
    """A scheduler on a Redis, and verbs that follow it."""

    def __init__(self, desk: Desk, server: OwnRedis) -> None:
        self.desk, self.server = desk, server
        scheduler = Scheduler(desk.sandbox.url, "w", "p", "n", 5.0)
        schedulers.put(server.client, scheduler)
        self.scheduler = scheduler
        self.ledger()

    def ledger(self) -> Ledger:
        ledger = open_ledger(Store(self.server.client), self.scheduler.id, Settings(redis_url=self.server.url))
        ledger.adopt_epoch(nothing_launched_before=True)
        return ledger

    def grant(self, number: int) -> str:
        object_id = f"{number:08x}{0:024x}"
        grant(self.ledger(), task_trigger(), task_event(object_id))
        return object_id

    def scripts_run(self) -> int:
        """Calls of scripts that Redis has seen; what is shown reads by some."""
        return int(self.server.client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])

    def verb(self, *words: str) -> Any:
        return self.desk.run(sys.executable, "-m", "triggers", *words, TRIGGERS_REDIS_URL=self.server.url)

    def restart_once_missed(self, verb: Any, times: int) -> None:
        """Take Redis away until the verb has reported so many times that it retries."""
        self.server.kill()
        eventually(lambda: self.output(verb).count("retrying") == times, "it is missed", told=self.desk.output)
        self.server.start()

    def output(self, process: Any) -> str:
        return (self.desk.folder / f"output {self.desk.started.index(process)}.txt").read_text()


@pytest.mark.parametrize("words", [["history", "--follow", "--json"], ["history", "--follow"]])
def test_history_is_followed_across_restarts(desk: Desk, own_redis: OwnRedis, words: list[str]) -> None:
    followed = Followed(desk, own_redis)
    ids = [followed.grant(1)]
    verb = followed.verb(*words)
    for number in (2, 3):
        eventually(lambda: ids[-1][:8] in followed.output(verb), "the last one is shown", told=desk.output)
        followed.restart_once_missed(verb, number - 1)
        ids.append(followed.grant(number))
    eventually(lambda: ids[-1][:8] in followed.output(verb), "the last one is shown", told=desk.output)
    shown = followed.output(verb)
    assert verb.poll() is None
    assert "Traceback" not in shown
    assert all(f"{id_[:8]}" in shown for id_ in ids)
    assert shown.count("retrying") == shown.count("Redis answers again") == 2
    verb.send_signal(signal.SIGINT)
    assert verb.wait(60) == 0


@pytest.mark.parametrize("words", [["status", "--watch", "--json"], ["status", "--watch"]])
def test_status_is_watched_across_restarts(desk: Desk, own_redis: OwnRedis, words: list[str]) -> None:
    followed = Followed(desk, own_redis)
    before = followed.scripts_run()
    verb = followed.verb(*words)
    eventually(lambda: followed.scripts_run() > before + 4, "it watches", told=desk.output)
    for number in (1, 2):
        followed.restart_once_missed(verb, number)
        followed.grant(number)
        eventually(
            lambda number=number: followed.output(verb).count("Redis answers again") == number,
            "again",
            told=desk.output,
        )
    if "--json" in words:
        last = lambda: [line for line in followed.output(verb).splitlines() if line.startswith("{")][-1]  # noqa: E731
        eventually(lambda: json.loads(last())["last"], "what was granted meanwhile is shown", told=desk.output)
    assert "Traceback" not in followed.output(verb)
    assert verb.poll() is None
    verb.send_signal(signal.SIGINT)
    assert verb.wait(60) == 0


@pytest.mark.parametrize("times", [1, 3])
def test_script_that_stands_by_outlives_restarts_and_takes_over(desk: Desk, own_redis: OwnRedis, times: int) -> None:
    script = str(desk.write("same.py", SCRIPT))
    first = desk.run(sys.executable, script, TRIGGERS_REDIS_URL=own_redis.url)
    eventually(lambda: "polls every" in desk.output(), "the first is home", told=desk.output)
    second = desk.run(sys.executable, script, TRIGGERS_REDIS_URL=own_redis.url)
    eventually(lambda: "standing by" in desk.output(), "the second stands by", told=desk.output)
    for number in range(times):
        own_redis.restart(0.3 + number)
    assert first.poll() is None, desk.output()
    first.kill()
    first.wait(60)
    eventually(lambda: desk.output().count("polls every") == 2, "the second takes over", told=desk.output)
    assert second.poll() is None
    assert "Traceback" not in desk.output()


def servers_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if is_server(child)]


def is_server(process: psutil.Process) -> bool:
    try:
        return process.name() in ("redis-server", "valkey-server") and process.status() != "zombie"
    except psutil.NoSuchProcess:  # it has ended since it was listed
        return False


def test_stand_by_of_a_private_redis_outlives_its_restarts(desk: Desk) -> None:
    script = str(desk.write("same.py", SCRIPT))
    first = desk.run(sys.executable, script)
    eventually(lambda: desk._registered(), "the first is home", told=desk.output)
    second = desk.run(sys.executable, script)
    eventually(lambda: "standing by" in desk.output(), "the second stands by", told=desk.output)
    for _ in range(3):
        (server,) = servers_of(first.pid)
        server.send_signal(signal.SIGKILL)
        gone = server.pid
        eventually(
            lambda gone=gone: [p for p in servers_of(first.pid) if p.pid != gone], "Redis is back", told=desk.output
        )
    assert first.poll() is None, desk.output()
    assert second.poll() is None, desk.output()
    failed = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1}, "the first serves on", told=desk.output)
    first.kill()
    first.wait(60)
    failed_too = desk.fail_task()
    eventually(lambda: desk.launched_for() == {failed: 1, failed_too: 1}, "the second serves", told=desk.output)
    assert "Traceback" not in desk.output()


def test_up_outlives_restarts(desk: Desk, own_redis: OwnRedis) -> None:
    file = desk.write("triggers.yaml", "")
    action = f"schedule_task_id: {desk.base}, schedule_queue: default, task_parameters: {{Args/source: '${{task.id}}'}}"
    file.write_text(f"triggers:\n- {{kind: task, name: retry, trigger_on_status: [failed], {action}}}\n")
    environ = {"TRIGGERS_REDIS_URL": own_redis.url, "TRIGGERS_POLL_SECONDS": "1"}
    registered = desk.run(sys.executable, "-m", "triggers", "up", "-f", str(file), **environ)
    eventually(lambda: "polls every" in desk.output(), "it is declared", told=desk.output)
    registered.send_signal(signal.SIGINT)
    assert registered.wait(60) == 0
    up = desk.run(sys.executable, "-m", "triggers", "up", **environ)
    eventually(lambda: desk._registered(), "it polls", told=desk.output)
    expected = {}
    for number in range(2):
        own_redis.restart(1.0 + number)
        expected[desk.fail_task()] = 1
        eventually(lambda: desk.launched_for() == expected, "it serves on", told=desk.output, seconds=60)
    assert up.poll() is None
    assert "Traceback" not in desk.output()
    up.send_signal(signal.SIGTERM)
    assert up.wait(60) == 0
