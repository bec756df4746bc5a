"""`single_instance` across worker processes: never two launches queued or running, by the server's own log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.crash.processes import eventually
from tests.crash.world import World

PROCESSES, FIRINGS = 8, 200

Making = Callable[..., World]


def begin(world: World, overlap: str) -> None:
    world.begin(
        world.trigger(
            trigger_on_status=[],
            trigger_on_tags=["go"],
            policy={"single_instance": True, "overlap": overlap, "max_per_minute": 0},
        )
    )


def tag(world: World, number: int) -> list[str]:
    """So many objects that change in one call."""
    ids = [world.create_task() for _ in range(number)]
    world.call("tasks.update_tags", ids=ids, add_tags=["go"])
    return ids


def running(world: World) -> str:
    """The launch that is queued or running."""

    def look() -> list[str]:
        return [task["id"] for task in world.launched() if task["status"] in ("queued", "in_progress")]

    (launch,) = eventually(look, f"a launch\n{world.log()}")
    return launch


def count(world: World, what: str) -> int:
    return sum(entry.what == what for entry in world.ledger.history.read(count=100_000))


@pytest.fixture
def many(make_world: Making) -> World:
    return make_world(workers=PROCESSES, module="stages_main")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_simultaneous_firings_all_run_one_after_the_other(many: World) -> None:
    begin(many, "queue")
    objects = tag(many, FIRINGS)
    eventually(lambda: count(many, "launched") == FIRINGS, f"all are launched\n{many.log()}", seconds=180)
    eventually(lambda: len(many.runs()) == FIRINGS, "all run")
    assert set(many.runs().values()) == {1}
    assert set(many.runs()) == set(objects)
    assert many.most_at_once() == 1


def test_of_simultaneous_firings_those_that_meet_a_running_one_are_skipped(many: World) -> None:
    many.dismiss()
    begin(many, "skip")
    objects = tag(many, FIRINGS)
    eventually(lambda: many.ended(objects), f"all have ended\n{many.log()}", seconds=60)
    assert (count(many, "launched"), count(many, "skipped")) == (1, FIRINGS - 1)
    many.hire()
    eventually(lambda: many.runs().total() == 1, "it runs")
    assert many.most_at_once() == 1
    again = next(id_ for id_ in objects if id_ not in many.runs())
    many.call("tasks.update_tags", ids=[again], add_tags=["changed"])
    eventually(lambda: many.runs()[again], "a skipped object fires at its next change")


def test_of_simultaneous_firings_the_latest_is_kept(many: World) -> None:
    many.dismiss()
    begin(many, "latest")
    tag(many, 1)
    running(many)
    tag(many, 30)
    eventually(lambda: count(many, "granted") == 31, "all are granted")
    eventually(lambda: not many.ledger.due("dispatch"), "all have been looked at")
    last = tag(many, 1)
    eventually(lambda: count(many, "granted") == 32, "the last is granted")
    # whichever is held when the slot gets free runs: the last has to have taken the place of all others by then
    eventually(lambda: count(many, "skipped") == 30, "the last alone is held")
    many.hire()
    eventually(lambda: many.runs()[last[0]], f"the last runs\n{many.log()}")
    assert many.runs().total() == 2
    assert many.most_at_once() == 1


def test_a_deleted_launch_frees_the_slot(make_world: Making) -> None:
    world = make_world(workers=2, module="stages_main", agent=False, overlap_seconds=2.0)
    begin(world, "queue")
    first, second = tag(world, 2)
    world.boss.call("tasks.delete", {"task": running(world), "force": True})
    running(world)
    world.hire()
    eventually(lambda: world.runs()[first] + world.runs()[second] == 1, "the next one runs")
    assert world.most_at_once() == 1


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_an_aborted_launch_and_one_whose_agent_was_lost_free_the_slot_when_they_end(
    make_world: Making, end: str
) -> None:
    world = make_world(workers=2, module="stages_main", agent=False)
    begin(world, "queue")
    agent = world.hire("run")
    tag(world, 2)
    first = running(world)
    eventually(lambda: world.run_starts_of(first), "it runs")
    world.sandbox.dismiss(agent)
    eventually(lambda: world.ledger.firings.holds(), "the second one waits")
    assert world.runs().total() == 1, "for as long as the server says that the first one runs"
    world.boss.call(f"tasks.{end}", {"task": first})
    assert running(world) != first
    world.hire()
    eventually(lambda: world.runs().total() == 2, "the next one runs")
    assert world.most_at_once() == 1


def test_a_launch_that_a_person_queues_again_blocks_the_next(make_world: Making) -> None:
    world = make_world(workers=2, module="stages_main", agent=False)
    begin(world, "queue")
    tag(world, 1)
    first = running(world)
    fail = world.hire("fail")
    eventually(lambda: count(world, "launched") == 1 and world.run_starts_of(first), "it has run")
    world.sandbox.dismiss(fail)
    world.boss.call("tasks.enqueue", {"task": first, "queue": world.queue, "force": True})
    (second,) = tag(world, 1)
    eventually(lambda: world.ledger.firings.holds(), f"the next one waits\n{world.log()}")
    assert running(world) == first
    world.hire()
    eventually(lambda: world.runs()[second], "and runs at last")
    assert len(world.run_starts_of(first)) == 2
    assert world.most_at_once() == 1


@pytest.mark.parametrize(
    "fault", [{"kind": "error", "status": 503}, {"kind": "drop"}, {"kind": "drop", "when": "after"}, {"kind": "html"}]
)
def test_an_unreachable_server_lets_nobody_in(make_world: Making, fault: dict[str, Any]) -> None:
    world = make_world(workers=3, module="stages_main", retry_cap_seconds=0.5, max_attempts=1000)
    begin(world, "queue")
    objects = tag(world, 12)
    eventually(lambda: count(world, "launched") >= 2, "some have run")
    world.fault(**fault, endpoint="*")
    eventually(lambda: sum(rule["hits"] for rule in world.sandbox.faults()) > 3, "calls fail")
    back_at = time.time() + 2 * world.settings.lease_seconds
    eventually(lambda: time.time() > back_at, "leases run out")
    world.clear_faults()
    eventually(lambda: world.ended(objects) and len(world.runs()) == 12, f"all run\n{world.log()}", seconds=60)
    assert set(world.runs().values()) == {1}
    if fault.get("when") != "after":  # a call whose answer was lost is in the log as failed
        assert world.most_at_once() == 1
