"""A Redis that answers and refuses: verbs, workers and beat say so in one line, without a traceback or a password."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import redis_binaries
from triggers.base.settings import Settings
from triggers.ledger import Store, connect, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.local.redis_server import PrivateRedis

SCHEDULER = Scheduler("http://127.0.0.1:9", "w", "p", "n", 5.0)
#: What is secret in the addresses below.
SECRET = "s3cret-of-redis"
VERBS = (["list"], ["status"], ["doctor"], ["history"], ["dead", "list"], ["pause", "--all"])


class Refusing:
    """A Redis with a scheduler and a trigger on it, that can be made to refuse."""

    def __init__(self, folder: Path, binary: str) -> None:
        self.server = PrivateRedis(folder / "redis", server=binary)
        self.url = self.server.start()
        self.client: Any = connect(self.url)
        schedulers.put(self.client, SCHEDULER)
        ledger = open_ledger(Store(self.client), SCHEDULER.id, Settings(redis_url=self.url))
        ledger.adopt_epoch(nothing_launched_before=True)

    def full(self) -> str:
        self.client.config_set("maxmemory", "1")
        return self.url

    def replica(self) -> str:
        self.client.replicaof("127.0.0.1", 1)
        return self.url

    def broken_disk(self) -> str:
        self.client.config_set("dir", "/proc")
        self.client.bgsave()  # by a process of its own; once that has failed, Redis refuses to write
        while self.client.info("persistence")["rdb_last_bgsave_status"] != "err":
            pass
        self.client.config_set("save", "3600 1")
        return self.url

    def wrong_password(self) -> str:
        return f"{self.url.replace('unix://', f'unix://nobody:{SECRET}@')}"

    def no_info(self) -> str:
        self.client.execute_command("ACL", "SETUSER", "limited", "on", f">{SECRET}", "~*", "&*", "+@all", "-info")
        return f"{self.url.replace('unix://', f'unix://limited:{SECRET}@')}"

    def stop(self) -> None:
        self.client.close()
        self.server.stop()


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[Refusing]:
    refusing = Refusing(tmp_path, next(iter(redis_binaries().values())))
    yield refusing
    refusing.stop()


def environ(url: str) -> dict[str, str]:
    clearml = {f"CLEARML_API_{name}": "http://127.0.0.1:9" for name in ("HOST", "ACCESS_KEY", "SECRET_KEY")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[3]), "TRIGGERS_REDIS_URL": url, **clearml}


def said(url: str, *verb: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "triggers", *verb]
    done = subprocess.run(command, env=environ(url), capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("way", "code"),
    [
        (Refusing.full, "OOM"),
        (Refusing.replica, "READONLY"),
        (Refusing.broken_disk, "MISCONF"),
        (Refusing.wrong_password, "WRONGPASS"),
        (Refusing.no_info, "NOPERM"),
    ],
)
def test_verbs_say_in_words_what_redis_refuses(refusing: Refusing, way: Callable[[Refusing], str], code: str) -> None:
    url = way(refusing)
    for verb in VERBS:
        ended, text = said(url, *verb)
        assert "Traceback" not in text, (verb, text)
        assert SECRET not in text, (verb, text)
        if verb == ["doctor"] or code in ("WRONGPASS", "NOPERM"):
            assert ended == 1, (verb, text)
            assert code in text, (verb, text)


def test_address_that_cannot_be_read_is_reported_without_its_password() -> None:
    ended, text = said("redis://:se/cret@h", "list")
    assert ended == 2
    assert "cret" not in text
    assert "%XX" in text


@pytest.mark.parametrize(("way", "code"), [(Refusing.wrong_password, "WRONGPASS"), (Refusing.no_info, "NOPERM")])
@pytest.mark.parametrize("role", [["worker", "-Q", "poll"], ["beat"]])
def test_roles_end_in_one_line_where_a_person_is_needed(
    refusing: Refusing, way: Callable[[Refusing], str], code: str, role: list[str]
) -> None:
    url = way(refusing)
    done = subprocess.run(["celery", "-A", "workers", *role], env=environ(url), capture_output=True, text=True)
    assert done.returncode == 1
    assert code in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr + done.stdout
