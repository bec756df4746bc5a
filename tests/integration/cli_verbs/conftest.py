"""A scheduler with a past, on a real Redis and the sandbox, and verbs run against it in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from typer.testing import CliRunner

from tests.integration.stages.conftest import World
from tests.servers import running
from triggers.base.errors import TriggersError, Usage
from triggers.base.escaping import in_lines
from triggers.base.settings import Settings
from triggers.base.settings import settings as settings_of_process
from triggers.cli.app import app
from triggers.ledger import Store, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.sandbox import Sandbox


@dataclass
class Result:
    """What a verb printed, and its exit code as `cli.main` has it."""

    code: int
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str, width: int = 100, stdin: str | None = None) -> Result:
    """Run a verb as a terminal of that width would."""
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(width)}, input=stdin)
    error = result.exception
    if isinstance(error, TriggersError):
        return Result(2 if isinstance(error, Usage) else 1, result.output + in_lines(f"clearml-triggers: {error}"))
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Result(result.exit_code, result.output)


@pytest.fixture(scope="session")
def server() -> Iterator[Sandbox]:
    yield from running()


def build(server: Sandbox, client: redis.Redis, settings: Settings) -> World:
    """A registered scheduler that watches the sandbox; its triggers are declared by the tests."""
    scheduler = Scheduler(server.url, "workspace", "DevOps", "Scheduler", poll_seconds=5.0)
    ledger = open_ledger(Store(client), scheduler.id, settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    world = World(server, ledger, settings)
    schedulers.put(client, Scheduler(**{**scheduler_fields(scheduler), "service_task": world.service}))
    return world


def scheduler_fields(scheduler: Scheduler) -> dict[str, Any]:
    return {name: getattr(scheduler, name) for name in ("host", "workspace", "project", "name", "poll_seconds")}


@pytest.fixture
def world(
    server: Sandbox, redis_client: redis.Redis, redis_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    server.control.reset()
    for name, value in server.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    monkeypatch.setenv("TRIGGERS_WHO", "tester")
    settings_of_process.cache_clear()
    world = build(server, redis_client, settings)
    yield world
    world.client.close()
    settings_of_process.cache_clear()
