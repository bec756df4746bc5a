"""Liveness by progress: a worker that takes nothing ends itself, a frozen one is killed by the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from tests.deploy.hosts import Service, eventually
from triggers import health
from triggers.base.broker import ALIVE_QUEUES, broker_prefix
from triggers.health import Progress
from triggers.ledger import connect
from triggers.local.redis_server import PrivateRedis

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "CLEARML_API_HOST": "http://127.0.0.1:9",
    "CLEARML_API_ACCESS_KEY": "nobody",
    "CLEARML_API_SECRET_KEY": "nothing",
}
#: a worker whose watch is less patient, and which stops consuming on request, as after a Redis reset
STARVED = """
import sys
from celery.__main__ import main
from workers import watchdog
watchdog.LOOK_SECONDS, watchdog.SEND_SECONDS, watchdog.TAKEN_WITHIN_SECONDS = 0.2, 1.0, 10.0
from celery.signals import worker_ready
@worker_ready.connect
def starve(sender, **_):
    if "starve" in sys.argv[0]:
        sender.task_consumer.cancel()
sys.argv[1:] = ["-A", "workers", "worker", "-Q", "match", "-n", "tested@here", "--concurrency=2"]
main()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    server = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start(server: PrivateRedis, tmp_path: Path) -> Iterator[object]:
    services: list[Service] = []

    def start(kind: str) -> tuple[Service, Path]:
        file, script = tmp_path / "health.json", tmp_path / f"{kind}.py"
        script.write_text(STARVED)
        environ = {**ENVIRONMENT, "TRIGGERS_REDIS_URL": server.url, "TRIGGERS_HEALTH_FILE": str(file)}
        environ["PYTHONPATH"] = str(Path(health.__file__).parents[1])
        services.append(Service([sys.executable, str(script)], environ, tmp_path, tmp_path / "worker.log"))
        return services[-1], file

    yield start
    for service in services:
        service.down()


def own_queues(client: redis.Redis) -> list[str]:
    """The queues of messages that the worker has sent itself and not taken yet."""
    return list(client.scan_iter(f"{broker_prefix()}{ALIVE_QUEUES}tested@here:*"))


def look(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a supervisor does."""
    return subprocess.run(
        [sys.executable, "-m", "triggers.health", str(file), *options], capture_output=True, text=True
    )


def test_worker_that_takes_nothing_ends_and_is_started_again(start, server: PrivateRedis, tmp_path: Path):
    service, _ = start("starve")
    eventually(lambda: service.starts > 1, "the worker that is up but takes nothing ends")
    assert "has taken nothing for" in (tmp_path / "worker.log").read_text()


def test_worker_outlives_an_absent_redis_and_takes_again(start, server: PrivateRedis):
    service, file = start("worker")
    eventually(file.exists, "the worker writes its progress")
    eventually(lambda: look(file).returncode == 0, "it gets somewhere")
    pid = server.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not server.is_alive, "Redis ends")
    time.sleep(12)  # longer than it may take nothing
    assert look(file).returncode == 0, "a restart would mend nothing"
    server.start()
    client = connect(server.url)
    taken = time.monotonic()
    eventually(lambda: Progress.read(file) is not None and not own_queues(client), "it takes again")
    time.sleep(12)
    assert service.starts == 1, f"started again {time.monotonic() - taken:.1f} s after Redis was back"
    client.close()


def test_frozen_worker_is_found_and_killed_by_the_command(start, monkeypatch: pytest.MonkeyPatch, capsys):
    service, file = start("worker")
    eventually(file.exists, "the worker writes its progress")
    first = service.pid
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(health, "FROZEN_SECONDS", 1.0)
    eventually(lambda: health.main([str(file)]) == 1, "it is found")
    assert "frozen" in capsys.readouterr().out
    assert health.main([str(file), "--end"]) == 1
    eventually(lambda: service.starts == 2, "its supervisor starts it again")


def test_worker_leaves_nothing_behind_in_redis(start, server: PrivateRedis):
    start("starve")
    client = connect(server.url)
    eventually(lambda: own_queues(client), "a message that is not taken")
    eventually(lambda: all(client.ttl(queue) > 0 for queue in own_queues(client)), "it is forgotten some day")
    bindings = client.keys(f"{broker_prefix()}_kombu.binding.*")
    assert bindings
    assert not [key for key in bindings if ALIVE_QUEUES in str(client.smembers(key))]
    client.close()


def test_command_says_when_there_is_nothing_to_judge(tmp_path: Path):
    assert look(tmp_path / "none").returncode == 1
    assert subprocess.run([sys.executable, "-m", "triggers.health"], env={}, capture_output=True).returncode == 2
    (tmp_path / "other").write_text('{"of": "another version"}')
    assert look(tmp_path / "other").returncode == 1


def test_progress_of_a_process_that_has_ended_is_a_fault(tmp_path: Path):
    Progress("worker", 2**22 + 1, "12", time.monotonic(), "").write(tmp_path / "file")
    read = Progress.read(tmp_path / "file")
    assert read is not None
    assert "has ended" in read.fault(time.monotonic())
    read.end()  # harms nobody


def test_command_says_which_scheduler_a_worker_leaves_alone(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    """It is not a fault: a restart would not fix it."""
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    from triggers.base.settings import settings

    settings.cache_clear()
    from workers import runtime as of_process
    from workers import watchdog
    from workers.app import app

    of_process._made.cache_clear()
    monkeypatch.setattr(watchdog.WorkerRole, "_send", lambda role: True)
    monkeypatch.setattr(of_process.runtime(), "left_alone", {"a": "p/n is left alone", "b": "it is unreadable"})
    role = watchdog.WorkerRole(app, "tested@here", 2)
    watchdog.Watch(role, tmp_path / "file").look(100.0)
    assert health.main([str(tmp_path / "file")]) == 0
    told = "tested@here makes progress, but it is unreadable; p/n is left alone"
    assert capsys.readouterr().out.strip() == told
    role.client.close()
    of_process._made.cache_clear()
    settings.cache_clear()


def test_look_costs_little():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "triggers.health", "none"], capture_output=True, text=True
    )
    assert "pydantic" not in done.stderr
    assert "celery" not in done.stderr


def test_busy_worker_is_not_stuck(redis_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    from celery.worker import state

    from triggers.base.settings import settings

    settings.cache_clear()
    from workers import watchdog
    from workers.app import app

    sent: list[float] = []
    monkeypatch.setattr(watchdog.WorkerRole, "_send", lambda role: not sent.append(1.0))
    role = watchdog.WorkerRole(app, "tested@here", 2)
    assert role.stuck(100.0) == ""
    assert role.stuck(131.0) != ""
    monkeypatch.setattr(state, "active_requests", {"one", "two"})
    assert role.stuck(131.0) == ""
    monkeypatch.setattr(state, "active_requests", set())
    assert role.stuck(141.0) == ""
    role.client.close()
    settings.cache_clear()
    assert isinstance(role.client, redis.Redis)


def test_schedule_in_the_same_process_has_to_tick_unless_redis_is_away(redis_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    from triggers.base.settings import settings

    settings.cache_clear()
    from celery.worker import state

    from workers import watchdog
    from workers.app import app

    answers = [True]
    monkeypatch.setattr(watchdog.WorkerRole, "_send", lambda role: answers[-1])
    monkeypatch.setattr(state, "active_requests", {"one"})
    monkeypatch.setattr(watchdog.beat, "ticked_at", 100.0)
    role = watchdog.WorkerRole(app, "tested@here", 1)
    assert role.stuck(130.0) == ""
    assert "has not ticked for 31 s" in role.stuck(131.0)
    answers.append(False)
    assert role.stuck(141.0) == ""
    assert role.stuck(170.0) == ""
    role.client.close()
    settings.cache_clear()


def test_local_mode_watches_itself_too(server: PrivateRedis, tmp_path: Path):
    script, log = tmp_path / "starve_local.py", tmp_path / "local.log"
    script.write_text(
        STARVED.rpartition("sys.argv[1:]")[0].replace(
            "from celery.__main__ import main", "from workers.local import main"
        )
        + "sys.exit(main())\n"
    )
    environ = {**ENVIRONMENT, "TRIGGERS_REDIS_URL": server.url, "PYTHONPATH": str(Path(health.__file__).parents[1])}
    service = Service([sys.executable, str(script)], environ, tmp_path, log)
    try:
        eventually(lambda: service.starts > 1, "the child of local mode that takes nothing ends")
        assert "has taken nothing for" in log.read_text()
    finally:
        service.down()
