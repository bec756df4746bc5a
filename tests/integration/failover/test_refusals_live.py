"""Worker, beat and local mode's child while Redis refuses: nothing is lost, one line says why, and they recover."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.deploy.hosts import Service
from tests.integration.failover.restarting import OwnRedis
from tests.integration.failover.test_restarts import SCRIPT

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

Lift = Callable[[], None]


class Serving:
    """A declared scheduler on a Redis, and what serves it: the roles of a cluster, or local mode's one child."""

    def __init__(self, desk: Desk, folder: Path, mode: str) -> None:
        self.desk, self.folder = desk, folder
        self.secret = folder / "secrets" / "triggers_redis_password"
        self.secret.parent.mkdir()
        self.secret.write_text("old-of-redis")
        self.server = OwnRedis(folder / "own redis", password="old-of-redis")
        self.environ = {
            **desk.environment,
            "PATH": f"{Path(sys.executable).parent}:{desk.environment['PATH']}",
            "TRIGGERS_REDIS_URL": self.server.url,
            "TRIGGERS_SECRETS_DIR": str(folder / "secrets"),
        }
        script = desk.write("my_script.py", SCRIPT.replace("scheduler.start()", "scheduler.register()"))
        declared = desk.run(sys.executable, str(script), **self.environ)
        assert declared.wait(60) == 0, desk.output()
        commands = {
            "cluster": {
                "worker": ["celery", "-A", "workers", "worker", "-l", "INFO", "-Q", "poll,match,dispatch"],
                "beat": ["celery", "-A", "workers", "beat"],
            },
            "local": {"up": [sys.executable, "-m", "triggers", "up", "--quiet"]},
        }[mode]
        self.services = {
            name: Service(command, self.environ, folder, folder / f"{name}.log") for name, command in commands.items()
        }
        eventually(lambda: self.launches_for(desk.fail_task(), 1.5), "it serves", told=self.logs)

    def launches_for(self, object_id: str, seconds: float) -> int:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.desk.launched_for()[object_id]:
            time.sleep(0.1)
        return self.desk.launched_for()[object_id]

    def launched_after(self, object_id: str) -> float:
        """Wait for a launch; how long that took, seconds."""
        began = time.monotonic()
        eventually(lambda: self.desk.launched_for()[object_id], "it is launched", told=self.logs)
        return time.monotonic() - began

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def logs(self) -> str:
        return "\n".join(f"== {name} ==\n{self.log(name)}" for name in self.services)

    def is_unharmed(self) -> None:
        """Each change was launched once, nothing was started again, and one or two lines reported what was wrong."""
        assert max(self.desk.launched_for().values()) == 1
        for name, service in self.services.items():
            assert "Traceback" not in self.log(name), self.log(name)
            assert "Deprecat" not in self.log(name), self.log(name)
            assert service.starts == 1, "none had to be started again"
            said = [line for line in self.log(name).splitlines() if "retrying" in line]
            assert 1 <= len(said) <= 4, said

    def end(self) -> None:
        for service in self.services.values():
            service.down()
        self.server.stop()


@pytest.fixture(params=["cluster", "local"])
def serving(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(desk, tmp_path, request.param)
    yield serving
    serving.end()


def full(serving: Serving) -> Lift:
    serving.server.set("maxmemory", "1")
    return lambda: serving.server.set("maxmemory", "0")


def replica(serving: Serving) -> Lift:
    with serving.server.client as client:
        client.replicaof("127.0.0.1", 1)

    def lift() -> None:
        with serving.server.client as client:
            client.replicaof("NO", "ONE")

    return lift


def broken_disk(serving: Serving) -> Lift:
    folder = str(serving.server.folder)
    with serving.server.client as client:
        client.config_set("dir", "/proc")
        client.bgsave()
        eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "saving fails")
        client.config_set("save", "3600 1")

    def lift() -> None:
        serving.server.set("save", "")
        serving.server.set("dir", folder)

    return lift


def change_password(serving: Serving, password: str) -> None:
    """As an operator does; connections that are open are cut, since Redis lets them go on."""
    with serving.server.client as client:
        client.config_set("requirepass", password)
        serving.server.password = password
        client.client_kill_filter(_type="pubsub", skipme=True)
        client.client_kill_filter(_type="normal", skipme=True)


def exchanged_password(serving: Serving) -> Lift:
    change_password(serving, "new-of-redis")
    return lambda: serving.secret.write_text("new-of-redis")


REFUSALS = [(full, "OOM"), (replica, "READONLY"), (broken_disk, "MISCONF"), (exchanged_password, "WRONGPASS")]


@pytest.mark.parametrize(("refuse", "code"), REFUSALS)
def test_nothing_is_lost_while_redis_refuses(serving: Serving, refuse: Callable[[Serving], Lift], code: str) -> None:
    lift = refuse(serving)
    changed = serving.desk.fail_task()
    for name in serving.services:
        eventually(lambda name=name: code in serving.log(name), f"{name} says why", told=serving.logs)
    time.sleep(10)  # to see that it is not logged over and over
    assert serving.desk.launched_for()[changed] == 0
    lift()
    eventually(lambda: serving.desk.launched_for()[changed], "it is launched afterwards", told=serving.logs)
    later = serving.desk.fail_task()
    eventually(lambda: serving.desk.launched_for()[later], "it serves on", told=serving.logs)
    serving.is_unharmed()


def test_nothing_is_lost_while_redis_loads_a_big_file(serving: Serving) -> None:
    serving.server.kill()
    changed = serving.desk.fail_task()
    serving.server.start_loading()
    for name in serving.services:
        eventually(lambda name=name: "LOADING" in serving.log(name), f"{name} says why", told=serving.logs)
    assert serving.server.is_loading(), "they said so while it was loading"
    serving.server.load_on()
    eventually(lambda: serving.desk.launched_for()[changed], "it is launched afterwards", told=serving.logs)
    serving.is_unharmed()


def test_nothing_has_to_be_started_again_after_redis_was_away_for_minutes(serving: Serving) -> None:
    """For longer than a worker may take nothing; Celery itself would pause for 20 s between two attempts by now."""
    serving.server.kill()
    changed = serving.desk.fail_task()
    time.sleep(95)
    serving.server.start()
    after_seconds = serving.launched_after(changed)
    usual_seconds = []
    for _ in range(4):  # whoever took nothing meanwhile would be ended now
        usual_seconds.append(serving.launched_after(serving.desk.fail_task()))
        time.sleep(10)
    assert after_seconds < 10 + 5 * max(usual_seconds), "it is launched soon"
    serving.is_unharmed()
