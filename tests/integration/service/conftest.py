"""A world whose scheduler has a service task that sync keeps: in this process, or with the real SDK in others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.stages.conftest import World, server
from triggers.base.settings import Settings
from triggers.clearml_api import service
from triggers.ledger import Ledger, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.model.original import SECTIONS
from triggers.sandbox import Sandbox
from triggers.stages.sync import Synced, sync

__all__ = ["server"]


class ServiceWorld(World):
    """The scheduler with its service task running, and a person who edits it in ClearML."""

    def __init__(self, sandbox: Sandbox, ledger: Ledger, settings: Settings) -> None:
        super().__init__(sandbox, ledger, settings)
        self.call("tasks.started", task=self.service)
        self.scheduler = Scheduler(
            sandbox.url, "company", "P", "service task", 1.0, self.service, sync_seconds=0.001, web="http://web"
        )
        # the record of a scheduler is believed under its own id alone
        self.ledger = open_ledger(ledger.store, self.scheduler.id, settings)
        self.ledger.adopt_epoch(nothing_launched_before=True)
        self.ctx = self.context()
        schedulers.put(ledger.store.client, self.scheduler)
        service.adopt(self.api, self.service, self.scheduler.id)

    def sync(self) -> Synced:
        done = sync(self.ctx, self.scheduler)
        assert done is not None
        return done

    def task(self) -> dict[str, Any]:
        return dict(self.call("tasks.get_by_id", task=self.service)["task"])

    def section(self, kind: str) -> list[dict[str, Any]]:
        return list(json.loads(self.task()["configuration"][SECTIONS[kind]]["value"]))  # type: ignore[index]

    def edit_section(self, kind: str, items: object) -> None:
        text = items if isinstance(items, str) else json.dumps(items)
        item = {"name": SECTIONS[kind], "value": text, "type": "json"}  # type: ignore[index]
        self.call("tasks.edit_configuration", task=self.service, configuration=[item], force=True)

    def names(self) -> set[str]:
        return {entry.trigger.id for entry in self.ledger.registry.snapshot().active}

    def registered(self, id_: str) -> Any:
        return self.ledger.registry.snapshot().entries[id_].trigger

    def console(self) -> list[str]:
        events = self.call("events.get_task_log", task=self.service, order="asc", navigate_earlier=False)["events"]
        return [line for event in events for line in event["msg"].splitlines()]

    def plots(self, title: str) -> list[dict[str, Any]]:
        events = self.call("events.get_task_events", task=self.service, event_type="plot")["events"]
        return [json.loads(event["plot_str"]) for event in events if event["metric"] == title]

    def table(self, title: str) -> list[list[str]]:
        cells = self.plots(title)[-1]["data"][0]["cells"]["values"]
        return [list(row) for row in zip(*cells, strict=True)]


@pytest.fixture
def service_world(server: Sandbox, ledger: Ledger, settings: Settings) -> Iterator[ServiceWorld]:
    server.control.reset()
    world = ServiceWorld(server, ledger, settings)
    yield world
    world.client.close()
