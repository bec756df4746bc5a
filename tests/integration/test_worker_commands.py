"""Workers and beat started as people start them, in the environment of another Celery project."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import redis_binaries
from tests.deploy.hosts import Service, eventually
from triggers.ledger import connect
from triggers.local.redis_server import PrivateRedis

#: Settings of other projects, none of which leads anywhere.
OTHERS = {
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "CELERY_BROKER_READ_URL": "redis://127.0.0.1:1/0",
    "CELERY_RESULT_BACKEND": "redis://127.0.0.1:1/0",
    "CELERY_BEAT_SCHEDULER": "no.such:Scheduler",
    "CELERY_WORKER_QUEUES": "celery",
    "CELERY_WORKER_HOSTNAME": "theirs@here",
    "CELERY_CONFIG_MODULE": "no_such_module",
    "BROKER_URL": "redis://127.0.0.1:1/0",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    server = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    server.start()
    yield server
    server.stop()


def environ(url: str) -> dict[str, str]:
    clearml = {f"CLEARML_API_{name}": "http://127.0.0.1:9" for name in ("HOST", "ACCESS_KEY", "SECRET_KEY")}
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TRIGGERS_REDIS_URL": url,
        "TRIGGERS_KEY_PREFIX": "team-a",
        **clearml,
        **OTHERS,
    }


def celery(*arguments: str) -> list[str]:
    return ["celery", "-A", "workers", *arguments]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-Q", "dispatchh"], "dispatchh: the queues are poll, match, dispatch, act"),
        (["-Q", "match", "--autoscale=4,1"], "--autoscale"),
        (["-Q", "match", "-P", "prefork"], "--pool=prefork: workers support only threads and solo"),
    ],
)
def test_options_that_do_not_fit_end_the_worker_in_one_line(server: PrivateRedis, options: list[str], said: str):
    ended = subprocess.run(celery("worker", *options), env=environ(server.url), capture_output=True, text=True)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_settings_of_other_projects_do_not_count_and_their_queues_are_left_alone(server: PrivateRedis, tmp_path: Path):
    url = f"{server.url}?db=3"
    client: Any = connect(url)
    theirs = {"poll", "match", "celery", "unacked_mutex"}
    for name in theirs:
        client.rpush(name, "a message of another application")
    beat = Service(celery("beat", "--loglevel=INFO"), environ(url), tmp_path, tmp_path / "beat.log")
    worker = Service(
        celery("worker", "-Q", "match", "-P", "solo", "--loglevel=INFO"),
        environ(url),
        tmp_path,
        tmp_path / "worker.log",
    )
    try:
        log = tmp_path / "worker.log"
        eventually(lambda: "triggers.alive" in log.read_text() and "succeeded" in log.read_text(), "it works")
        eventually(lambda: client.llen("team-a:celery:poll") > 3, "the schedule ticks")
        assert "match@" in log.read_text()
        assert "ignored variables of other projects" in log.read_text()
        for name in theirs:
            assert client.lrange(name, 0, -1) == ["a message of another application"]
        assert all(str(key).startswith("team-a:") for key in client.scan_iter() if key not in theirs)
        assert worker.starts == beat.starts == 1
    finally:
        beat.down()
        worker.down()
        client.close()


def test_solo_worker_at_work_for_long_is_not_ended_as_stuck(server: PrivateRedis, tmp_path: Path):
    script = tmp_path / "solo.py"
    script.write_text(SOLO)
    log = tmp_path / "solo.log"
    worker = Service([sys.executable, str(script)], environ(server.url), tmp_path, log)
    try:
        eventually(lambda: "looked on" in log.read_text(), "looks go on after the long work", told=log.read_text)
        assert worker.starts == 1, log.read_text()
    finally:
        worker.down()


#: Its work takes several times as long as a worker may take nothing, by the clock that its watch is given.
SOLO = """
import sys, threading, time
from celery.__main__ import main
from celery.signals import worker_ready
from workers import watchdog
from workers.match import match
watchdog.LOOK_SECONDS = 0.1
looks, passed, stuck = 0, 0.0, watchdog.WorkerRole.stuck

def look(role, now):
    global looks
    looks += 1
    return stuck(role, now + passed)

watchdog.WorkerRole.stuck = look

def more_looks(number):
    until = looks + number
    while looks < until:
        time.sleep(0.02)

def look_on():
    more_looks(20)
    print("looked on", flush=True)

def long(scheduler):
    global passed
    for _ in range(4):
        passed += 2 * watchdog.TAKEN_WITHIN_SECONDS
        more_looks(2)
    threading.Thread(target=look_on, daemon=True).start()

match.run = long  # workers take tasks of stages only

@worker_ready.connect
def begin(**_):
    match.delay("ab12" * 4)

sys.argv[1:] = ["-A", "workers", "worker", "-Q", "match", "-P", "solo", "--concurrency=4"]
main()
"""


def test_queue_that_nobody_takes_from_stays_short(server: PrivateRedis, monkeypatch: pytest.MonkeyPatch):
    program = "\n".join(
        [
            "from workers.app import app",
            "import workers.queue_limits",
            "for number in range(2500):",
            "    app.send_task('triggers.match', args=('ab12', number))",
        ]
    )
    subprocess.run([sys.executable, "-c", program], env=environ(server.url), check=True)
    client: Any = connect(server.url)
    try:
        assert 1000 <= client.llen("team-a:celery:match") <= 1050
        newest = client.lindex("team-a:celery:match", 0)
        assert "2499" in newest
    finally:
        client.close()
