"""What an earlier commit left, as a Redis, a state folder and a service task, at the time at which it was left.

Clocks are held there: the server's by the sandbox's offset, that of Redis by a stepped clock. Else what is kept for
seven days would be gone.
"""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.clocks.stepping import SteppedClock
from tests.conftest import redis_binaries
from tests.integration.stages.conftest import World
from tests.integration.upgrade.declarations import on_host
from triggers.base.settings import Settings
from triggers.base.settings import settings as settings_of_process
from triggers.client.callers import Callers
from triggers.ledger import Store, connect, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.local.redis_server import PrivateRedis
from triggers.sandbox import Sandbox

LEFT = Path(__file__).with_name("4f82ae9")
#: Part of the scheduler's identity, as `make.py` has it.
HOST, PORT = "127.80.17.8", 8008
ACCESS, SECRET = "upgrade", "upgrade-secret"
#: So long after it was left it is found, seconds.
LATER_SECONDS = 5


def left(name: str) -> Any:
    """The content of one of its files."""
    return json.loads((LEFT / f"{name}.json").read_text())


class Upgraded(World):
    """The scheduler that was left, served by the code of today."""

    def __init__(self, sandbox: Sandbox, client: redis.Redis, settings: Settings, clock: SteppedClock) -> None:
        self.about: dict[str, Any] = left("about")
        self.clock, self.ahead = clock, ahead_seconds()
        super().__init__(sandbox, open_ledger(Store(client), self.about["scheduler"], settings), settings)
        self.names = {task["id"]: task["name"] for task in left("server")["tasks"].values()}

    def serve(self) -> None:
        """See the scheduler's record, as a worker that starts."""
        self.scheduler = schedulers.all_of(self.ledger.store.client)[self.ledger.scheduler]
        self.service = self.scheduler.service_task
        self.ctx = self.context()

    def rounds(self, count: int = 4) -> None:
        """Let launches run and end, and everything be done that is due by then; a minute passes in each round."""
        for _ in range(count):
            for task in [*self.clones(), self.call("tasks.get_by_id", task=self.about["bases"][1])["task"]]:
                if task["status"] == "queued":
                    self.call("tasks.started", task=task["id"], force=True)
                    self.call("tasks.completed", task=task["id"], force=True)
            self.pass_minute()
            self.expire_leases()
            self.reconcile()
            self.step()
            self.hints.dispatches = 1
            self.settle()
            callers = Callers(self.ctx, {"task:here": on_host}, 1)
            callers.start()
            callers.finish(5.0)

    def pass_minute(self) -> None:
        """Move both clocks on."""
        self.ahead += 61
        self.clock.set(self.ahead)
        server = self.sandbox.control.clock()["offset_seconds"]
        self.sandbox.control.clock(offset_seconds=server + 61)

    def launched(self) -> Counter[str]:
        """How often each object was launched for, by its name."""
        return Counter(self.names.get(entry.object, entry.object) for entry in self.history("launched"))

    def register(self) -> None:
        """Run the script once more, by the code of today, when the lease of the Redis of those days has expired."""
        self.pass_minute()
        here = Path(__file__)
        environment = os.environ | {"UPGRADE_BASES": " ".join(self.about["bases"]), "PYTHONPATH": str(here.parents[3])}
        script = f"import sys; sys.path.insert(0, {str(here.parent)!r}); import declarations; declarations.main()"
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        self.serve()


def ahead_seconds() -> int:
    """How far the clock of those days is ahead of ours, in fact behind."""
    return int(left("about")["made_at"] + LATER_SECONDS - time.time())


@pytest.fixture
def server() -> Iterator[Sandbox]:
    """The ClearML server as it was left, at its address: one run of the tests at a time has it on a machine."""
    with open(Path(tempfile.gettempdir(), "clearml-triggers-upgrade.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield from served()


def served() -> Iterator[Sandbox]:
    """A sandbox that knows what the server knew."""
    with Sandbox(PORT, ACCESS, SECRET, host=HOST) as sandbox:
        state, objects = sandbox.app.state, left("server")
        for name in ("projects", "queues", "workers", "events"):
            setattr(state, name, objects[name])
        state.default_queue = objects["default_queue"]
        for kind, store in (("tasks", state.tasks), ("models", state.models)):
            for one in sorted(objects[kind].values(), key=lambda one: one["last_change"]):
                store.add(one)
        sandbox.control.clock(offset_seconds=ahead_seconds() + left("about")["ahead"])
        yield sandbox


def empty(server: PrivateRedis) -> str:
    """No Redis is left: the service task alone."""
    return server.start()


def restored(server: PrivateRedis) -> str:
    """A Redis that runs on while workers are replaced."""
    url = server.start()
    with redis.Redis.from_url(url) as client:
        for key, (ttl, text) in left("redis").items():
            client.restore(key, ttl, base64.b64decode(text))
        id_ = left("about")["scheduler"]
        client.hset(f"triggers:{{{id_}}}:epoch", "run_id", client.info("server")["run_id"])
    return url


def unpacked(server: PrivateRedis) -> str:
    """The state folder of local mode."""
    server.folder.mkdir(mode=0o700, parents=True)
    packed = base64.b64decode((LEFT / "folder.tar.gz.base64").read_text())
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(server.folder, filter="data")
    return server.start()


BINARIES = redis_binaries()
ARRIVALS = {
    **{f"redis on {name}": (restored, binary) for name, binary in BINARIES.items()},
    **{f"folder on {name}": (unpacked, binary) for name, binary in BINARIES.items()},
}


@pytest.fixture
def world(
    server: Sandbox,
    settings: Settings,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Upgraded]:
    """The scheduler that was left, arrived in the way that the test is parametrized with."""
    arrive, binary = request.param
    clock, private = SteppedClock(tmp_path), PrivateRedis(tmp_path / "state", server=binary)
    clock.set(ahead_seconds())
    settings = settings.model_copy(update={"function_modules": ("posixpath",)})
    with monkeypatch.context() as patch:
        for name, value in clock.environ.items():
            patch.setenv(name, value)
        url = arrive(private)
    for name, value in (server.env() | {"TRIGGERS_REDIS_URL": url, "TRIGGERS_WHO": "tester"}).items():
        monkeypatch.setenv(name, value)
    settings_of_process.cache_clear()
    client = connect(url)
    upgraded = Upgraded(server, client, settings, clock)
    if arrive is not empty:
        upgraded.serve()
    yield upgraded
    upgraded.client.close()
    client.close()
    private.stop()
    settings_of_process.cache_clear()
