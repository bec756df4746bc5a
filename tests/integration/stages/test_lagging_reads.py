"""Redis comes back without its last seconds, while reads of the ClearML server lag behind what was launched in them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.ledger.helpers import eventually
from tests.integration.stages.conftest import World
from tests.property.stages.redis_copies import Copy, copy_of, put_copy
from triggers.actions.launching import reads
from triggers.actions.launching.reads import PROPERTY, ReadsShow
from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import launches

pytestmark = pytest.mark.sandbox_control

LATE_SECONDS = 1.0


def on_disk(world: World) -> Copy:
    return copy_of(world.ledger.store.client)


def comes_back(world: World, disk: Copy) -> None:
    """Another run of Redis, with what was on disk."""
    put_copy(world.ledger.store.client, disk)
    world.ledger.store.client.hset(world.ledger.keys.epoch, "run_id", "0" * 40)
    world.ctx = world.context()


def ended(world: World, what: str = "launched") -> Callable[[], bool]:
    """Go on with what waits; whether something has ended so."""

    def look() -> bool:
        world.expire_leases()
        world.ctx.reads.next_at = 0.0
        world.reconcile()
        world.step()
        return bool(world.history(what))

    return look


def starts(world: World) -> int:
    """How many enqueue calls the server accepted."""
    queued = [move for move in world.sandbox.control.status_changes() if move["status"] == "queued"]
    return len(queued)


@pytest.mark.parametrize("what", ["clone", "enqueue"])
@pytest.mark.parametrize("action", [{}, {"reuse_task": True}], ids=["a clone", "the base task itself"])
def test_a_forgotten_launch_that_does_not_show_yet_is_not_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch, action: dict[str, Any], what: str
) -> None:
    """From the clone on, or from the enqueue on, nothing shows yet."""
    world.declare(world.trigger(action=action))
    world.step()
    disk = on_disk(world)
    world.fail_task()
    world.poll()
    real = getattr(launches, what)

    def late(*args: Any) -> Any:
        world.sandbox.control.late(LATE_SECONDS)
        return real(*args)

    monkeypatch.setattr(launches, what, late)
    world.settle()
    assert len(world.history("launched")) == 1
    comes_back(world, disk)
    eventually(ended(world))
    assert world.history("launched")[0].reason == "found by its key"
    assert starts(world) == 1


def test_a_forgotten_launch_that_does_not_show_yet_keeps_its_slot(world: World) -> None:
    world.declare(world.trigger(policy={"single_instance": True, "overlap": "queue"}))
    world.step()
    disk = on_disk(world)
    first = world.fail_task()
    world.poll()
    world.sandbox.control.late(LATE_SECONDS)
    world.settle()
    comes_back(world, disk)
    second = world.fail_task()
    eventually(ended(world, "held"))
    assert [entry.object for entry in world.history("launched")] == [first]
    assert {entry.object for entry in world.history("held")} == {second}
    assert starts(world) == 1


def test_a_forgotten_enqueue_that_arrives_last_holds_the_firing_until_it_shows(world: World) -> None:
    world.declare(world.trigger())
    world.step()
    disk = on_disk(world)
    world.fail_task()
    world.sandbox.control.fault("drop", "tasks.enqueue_many", when="before", times=1)
    world.sandbox.control.fault("drop", "tasks.enqueue", when="before", times=1)
    world.step()
    (draft,) = world.clones()
    comes_back(world, disk)
    world.sandbox.control.late(LATE_SECONDS)
    launches.enqueue(world.api, [draft["id"]], world.call("queues.get_all", name="^default$")["queues"][0]["id"])
    client, keys = world.ledger.store.client, world.ledger.keys
    over_ms = int(reads._late_ms(world.ctx)) + 1
    client.hset(keys.epoch, "began_ms", world.ledger.now_ms() - over_ms)  # no call can arrive any more
    world.ctx = world.context()
    eventually(ended(world))
    assert world.history("launched")[0].task == draft["id"]
    assert starts(world) == 1


def test_where_reads_show_every_write_nothing_waits_and_a_worker_asks_once_in_an_epoch(world: World) -> None:
    world.declare(world.trigger())
    world.step()
    comes_back(world, on_disk(world))
    world.fail_task()
    world.step()
    assert len(world.history("launched")) == 1
    marks = "tasks.edit_runtime", "tasks.edit"
    before = world.sandbox.control.counts()
    world.fail_task()
    world.step()
    assert len(world.history("launched")) == 2
    after = world.sandbox.control.counts()
    assert [after.get(name, 0) - before.get(name, 0) for name in marks] == [0, 0]


def test_another_worker_sees_the_mark_that_the_first_has_written(world: World) -> None:
    comes_back(world, on_disk(world))
    assert reads.shown(world.ctx) == ReadsShow.records
    before = world.sandbox.control.counts()
    assert reads.shown(world.context()) == ReadsShow.records
    after = world.sandbox.control.counts()
    assert {name for name in after if after[name] != before.get(name, 0)} == {"tasks.get_all"}


def test_the_mark_of_an_earlier_epoch_shows_nothing(world: World) -> None:
    comes_back(world, on_disk(world))
    assert reads.shown(world.ctx) == ReadsShow.records
    world.sandbox.control.late(600)
    world.ledger.store.client.hset(world.ledger.keys.epoch, "run_id", "1" * 40)
    world.ctx = world.context()
    assert reads.shown(world.ctx) == ReadsShow.nothing


@pytest.mark.parametrize("service", ["", "0" * 32], ids=["none", "deleted"])
def test_without_a_service_task_the_time_passes_in_which_writes_become_visible(world: World, service: str) -> None:
    comes_back(world, on_disk(world))
    world.ctx.service_task = service
    assert reads.shown(world.ctx) == ReadsShow.nothing
    visible_ms = int(1000 * world.settings.overlap_seconds)
    for more_ms, expected in ((0, ReadsShow.records), (int(reads._late_ms(world.ctx)), ReadsShow.calls)):
        began = world.ledger.now_ms() - visible_ms - more_ms - 1
        world.ledger.store.client.hset(world.ledger.keys.epoch, "began_ms", began)
        world.ctx.begin_epoch()
        assert reads.shown(world.ctx) == expected


def test_a_lost_mark_is_written_again_at_once_and_one_that_was_written_over_after_a_while(
    world: World,
) -> None:
    comes_back(world, on_disk(world))
    world.sandbox.control.fault("drop", "tasks.edit_runtime", when="before")
    with pytest.raises(ServerUnavailable):
        reads.shown(world.ctx)
    world.sandbox.control.clear_faults()
    known = world.ctx.reads
    known.marked_run, known.marked_at = world.ctx.epoch.run_id, time.monotonic()
    assert reads.shown(world.ctx) == ReadsShow.nothing, "it was written over"
    known.next_at, known.marked_at = 0.0, known.marked_at - reads.AGAIN_SECONDS
    assert reads.shown(world.ctx) == ReadsShow.records
    mark = world.call("tasks.get_by_id", task=world.service)["task"]["runtime"][PROPERTY]
    assert mark == f"{world.ctx.epoch.run_id} {known.shown_ms}"


@pytest.mark.parametrize("ends", ["complete", "fail"])
def test_a_base_task_whose_enqueue_does_not_show_yet_is_not_enqueued_again(
    world: World, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """The server accepts a second enqueue of a run that has failed."""
    world.declare(world.trigger(action={"reuse_task": True}))
    world.step()
    world.fail_task()
    world.poll()
    world.sandbox.control.agent("default", ends, run_seconds=0.0)
    world.sandbox.control.fault("drop", "tasks.enqueue", when="after", times=1)
    real = launches.enqueue

    def late(*args: Any) -> Any:
        world.sandbox.control.late(LATE_SECONDS)
        return real(*args)

    monkeypatch.setattr(launches, "enqueue", late)
    world.settle()
    world.expire_leases()
    world.step()
    world.calls_are_over()
    eventually(ended(world))
    assert starts(world) == 1


def test_a_base_task_whose_enqueue_was_lost_is_enqueued_once_the_call_cannot_arrive_any_more(world: World) -> None:
    world.declare(world.trigger(action={"reuse_task": True}))
    world.step()
    world.fail_task()
    world.sandbox.control.fault("drop", "tasks.enqueue", when="before", times=1)
    world.step()
    for _ in range(3):
        world.expire_leases()
        world.step()
        world.reconcile()
    assert starts(world) == 0, "it may be on its way"
    world.calls_are_over()
    eventually(ended(world))
    assert starts(world) == 1
    assert world.queue_entries() == [world.base]


def test_a_base_task_whose_enqueue_is_refused_does_not_wait(world: World) -> None:
    world.declare(world.trigger(action={"reuse_task": True}))
    world.step()
    world.fail_task()
    world.sandbox.control.fault("error", "tasks.enqueue", status=400, times=1)
    world.step()
    world.expire_leases()
    world.reconcile()
    assert starts(world) == 1
