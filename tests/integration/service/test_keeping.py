"""State and lease on the service task: what survives a Redis that comes back empty, and a second Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.clearml_api import service
from triggers.ledger.deployment import schedulers
from triggers.ledger.keys import shared
from triggers.sync import renewal
from triggers.sync.redis_lease import leases_in
from triggers.sync.saved_state import PROPERTY, Saved


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)


def saved(world: ServiceWorld) -> Saved:
    found = Saved.from_json(world.task()["runtime"][PROPERTY])
    assert found is not None
    return found


@pytest.mark.parametrize("status", ["in_progress", "completed", "published"])
def test_state_is_saved_whatever_the_tasks_status(service_world: ServiceWorld, status: str) -> None:
    world = service_world
    world.declare(world.trigger())
    for step in ("completed", "published")[: ("in_progress", "completed", "published").index(status)]:
        world.call(f"tasks.{'publish' if step == 'published' else step}", task=world.service)
    world.step()
    world.sync()
    first = saved(world)
    world.step()
    world.sync()
    assert saved(world).read_to_ms >= first.read_to_ms > 0
    assert world.task()["status"] == status
    assert len(leases_in([world.task()["runtime"]])) == 1


def test_the_saved_cursor_is_never_past_what_waits(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.step()
    failed = world.fail_task()
    changed = world.call("tasks.get_by_id", task=failed)["task"]["last_change"]
    world.poll()
    world.sync()
    assert 0 < saved(world).waiting_ms <= keep_ms(changed)  # in a batch
    world.hints.dispatches = 0
    while world.hints.partitions:
        from triggers.stages.match import match

        match(world.ctx, world.hints.partitions.pop())
    world.sync()
    assert saved(world).waiting_ms == keep_ms(changed)  # as a firing
    world.hints.dispatches = 1
    world.settle()
    world.sync()
    assert saved(world).waiting_ms == 0


def keep_ms(text: str) -> int:
    from triggers.model.events import milliseconds

    return milliseconds(text)


def test_a_redis_that_was_overtaken_stops_serving(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    (mine,) = leases_in([world.task()["runtime"]])
    earlier = {"instance": "other", "address": "redis://elsewhere", "holder": "process 7 on h", "run": ""}
    other = replace(mine, since_ms=mine.since_ms - 1, **earlier)
    for renewed in (other, replace(other, until_ms=other.until_ms + 20_000)):
        assert schedulers.all_of(world.ledger.store.client), "not before it was seen renewed"
        values = {other.property: renewed.to_json()}
        service.write_runtime(world.api, world.service, values)
        world.sync()
    assert schedulers.all_of(world.ledger.store.client) == {}
    text = world.ledger.history.alarms()[renewal.REDIS_ALARM]["text"]
    assert "redis://elsewhere, by process 7 on h" in text
    assert "redis.sock" in text


def test_a_later_lease_of_another_redis_is_ignored_and_an_emptied_redis_has_another_name(
    service_world: ServiceWorld,
) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    (mine,) = leases_in([world.task()["runtime"]])
    other = replace(mine, instance="other", run="", since_ms=mine.since_ms + 1, until_ms=mine.until_ms + 20_000)
    service.write_runtime(world.api, world.service, {other.property: other.to_json()})
    world.sync()
    assert len(schedulers.all_of(world.ledger.store.client)) == 1
    before = world.ledger.homes.instance()
    world.ledger.store.client.delete(shared("instance"))
    assert world.ledger.homes.instance() != before
