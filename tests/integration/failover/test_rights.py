"""The Redis user of docs/deployment.md: enough for every role and verb, and nothing of another team's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import redis_binaries
from tests.deploy.hosts import Service, eventually
from tests.integration.failover.test_refusals import environ
from triggers.ledger import connect
from triggers.local.redis_server import PrivateRedis

PAGE = Path(__file__).parents[3] / "docs" / "deployment.md"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    server = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    server.start()
    yield server
    server.stop()


def documented(team: str) -> list[str]:
    """The command of the page, for a team."""
    text = PAGE.read_text()
    command = text[text.index("ACL SETUSER") :].partition("\n\n")[0]
    words = re.sub(r"\\\n", " ", command).replace("team-a", team).replace("PASSWORD", "secret").split()
    assert words[-1] == "+client|setname"
    return words


def as_team(server: PrivateRedis, team: str) -> dict[str, str]:
    """The environment of a team, whose user is made."""
    admin: Any = connect(server.url)
    assert admin.execute_command(*documented(team)) in (True, "OK")
    admin.close()
    url = server.url.replace("unix://", f"unix://{team}:secret@")
    return {**environ(url), "TRIGGERS_KEY_PREFIX": team}


REGISTER = """
from triggers.ledger import Store, connect, open_ledger, schedulers
from triggers.ledger.schedulers import Scheduler
from triggers.settings import settings
from triggers.spec import make_trigger
of = settings()
client = connect(of.redis_url)
one = Scheduler("http://127.0.0.1:9", "w", "p", "n", 5.0)
schedulers.put(client, one)
ledger = open_ledger(Store(client), one.id, of)
ledger.adopt_epoch(nothing_launched_before=True)
action = {"type": "task", "base_task_id": "a" * 32, "queue": "q"}
trigger = make_trigger("task", name="on failure", action=action, trigger_on_status=["failed"])
ledger.registry.declare([trigger], origin="script", server_now_ms=1)
"""


def test_roles_and_verbs_work_with_the_rights_of_the_page(server: PrivateRedis, tmp_path: Path) -> None:
    env = as_team(server, "team-a")
    subprocess.run([sys.executable, "-c", REGISTER], env=env, check=True, timeout=60)
    admin: Any = connect(server.url)
    roles = {
        "worker": Service(
            ["celery", "-A", "workers", "worker", "-E", "-l", "INFO"], env, tmp_path, tmp_path / "worker.log"
        ),
        "beat": Service(["celery", "-A", "workers", "beat", "-l", "INFO"], env, tmp_path, tmp_path / "beat.log"),
    }
    try:
        log = tmp_path / "worker.log"
        eventually(lambda: "triggers.alive" in log.read_text() and "Task triggers.poll" in log.read_text(), "at work")
        for verb in (["list"], ["status"], ["pause", "on failure"], ["audit"], ["history"], ["doctor"]):
            done = subprocess.run(
                [sys.executable, "-m", "triggers", *verb], env=env, capture_output=True, text=True, timeout=60
            )
            assert "NOPERM" not in done.stdout + done.stderr, (verb, done.stdout + done.stderr)
            assert done.returncode == 0 or verb in (["status"], ["doctor"]), (verb, done.stdout + done.stderr)
        assert "poll workers" in done.stdout
        assert "none answers" not in done.stdout, "workers answer doctor through its channels"
        for name, role in roles.items():
            text = (tmp_path / f"{name}.log").read_text()
            assert role.starts == 1, text
            assert "NOPERM" not in text
            assert "no permissions" not in text.lower()
        assert all(key.startswith("team-a:") for key in admin.scan_iter())
    finally:
        for role in roles.values():
            role.down()
        admin.close()


def test_one_team_neither_reads_nor_stops_another(server: PrivateRedis) -> None:
    ours, theirs = as_team(server, "team-a"), as_team(server, "team-b")
    subprocess.run([sys.executable, "-c", REGISTER], env=ours, check=True, timeout=60)
    done = subprocess.run(
        [sys.executable, "-m", "triggers", "list"], env=theirs, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2, "there is no scheduler for them"
    client: Any = connect(theirs["TRIGGERS_REDIS_URL"])
    for command in (
        ["HGETALL", "team-a:schedulers"],
        ["DEL", "team-a:schedulers"],
        ["LPUSH", "team-a:celery:poll", "x"],
        ["PUBLISH", "team-a:celery:/0.celery.pidbox", "x"],
        ["EVAL", "return redis.call('get', 'team-a:instance')", "0"],
        ["KEYS", "*"],
        ["SCAN", "0"],
        ["FLUSHALL"],
        ["CONFIG", "GET", "*"],
        ["SHUTDOWN"],
        ["ACL", "LIST"],
    ):
        with pytest.raises(redis.ResponseError, match=r"(?i)permission|can.t access"):
            client.execute_command(*command)
    client.close()
