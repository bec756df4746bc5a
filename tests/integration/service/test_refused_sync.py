"""A server that refuses the calls of sync: nothing is half done for long, and what a person edited is taken up once."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.base.errors import ServerBusy
from triggers.ledger.keys import shared
from triggers.sync import renewal
from triggers.sync.saved_state import PROPERTY

pytestmark = pytest.mark.sandbox_control

OURS = "clearml-triggers*"


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)


def calls_of(world: ServiceWorld, after: int) -> Counter[str]:
    log = world.sandbox.control.requests(after=after)
    return Counter(entry["endpoint"] for entry in log if entry["caller"] != "world")


def last_call(world: ServiceWorld) -> int:
    return max(entry["number"] for entry in world.sandbox.control.requests())


def edited(world: ServiceWorld, minutes: int) -> None:
    """A person edits a trigger in ClearML, and another one fires meanwhile."""
    (item,) = world.section("task")
    item["max_per_minute"] = minutes
    world.edit_section("task", [item])
    world.fail_task()
    world.step()


def pause_over(world: ServiceWorld) -> None:
    world.api.gate._until = time.monotonic()
    world.ledger.store.client.delete(shared("api_pause"), shared("api_pauses"))


def test_sync_that_was_refused_anywhere_is_done_afterwards(service_world: ServiceWorld) -> None:
    """Every call that a turn makes is refused in turn, whichever they are."""
    world = service_world
    world.declare(world.trigger())
    world.step()
    world.sync()
    after = last_call(world)
    edited(world, 10)
    after = last_call(world)
    world.sync()
    endpoints = sorted(calls_of(world, after))
    assert len(endpoints) >= 3, endpoints
    refused = 0
    for number, endpoint in enumerate(endpoints, 11):
        edited(world, number)
        fault = world.sandbox.control.fault("busy", endpoint, caller=OURS)
        try:
            world.sync()
        except ServerBusy:
            refused += 1
            after = last_call(world)
            with pytest.raises(ServerBusy, match="not asked"):
                world.sync()
            assert not calls_of(world, after), "nothing is asked while the pause lasts"
        world.sandbox.control.clear_faults(fault)
        pause_over(world)
        world.sync()
        world.sync()
        assert world.registered("task:on failure").policy.max_per_minute == number, endpoint
        (item,) = world.section("task")
        assert item["max_per_minute"] == number
        assert json.loads(world.task()["runtime"][PROPERTY])
    assert refused >= 2, endpoints
    assert set(world.runs().values()) == {1}
