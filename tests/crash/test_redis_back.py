"""Redis comes back: with everything, without its last second, empty. Nothing is launched twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash.edges import Point
from tests.crash.processes import eventually
from tests.crash.world import World

Making = Callable[..., World]


def fail_many(world: World, number: int) -> list[str]:
    ids = [world.create_task() for _ in range(number)]
    for step in ("tasks.started", "tasks.failed"):
        for id_ in ids:
            world.call(step, task=id_)
    return ids


def all_run(world: World, objects: list[str]) -> None:
    eventually(lambda: set(world.runs()) >= set(objects), f"all run\n{world.log()}")
    eventually(lambda: world.ended(objects), f"all end\n{world.log()}")
    assert set(world.runs().values()) == {1}


def test_redis_killed_while_changes_come(make_world: Making) -> None:
    world = make_world(workers=2)
    world.begin(world.trigger())
    objects: list[str] = []
    for _ in range(3):
        objects += fail_many(world, 5)
        eventually(lambda: len(world.runs()) > len(objects) - 5, f"it is in the middle\n{world.log()}")  # noqa: B023
        world.kill_redis()
    objects += fail_many(world, 2)
    all_run(world, objects)


@pytest.mark.parametrize(
    "point",
    [
        Point("after", "store:claim"),
        Point("before", "api:tasks.clone", 4),
        Point("after", "store:record", 4),
        Point("after", "api:tasks.enqueue_many"),
        Point("after", "store:finish", 4),
    ],
    ids=str,
)
def test_redis_without_its_last_second_in_the_middle_of_a_batch(make_world: Making, point: Point) -> None:
    world = make_world(workers=1)
    world.begin(world.trigger())
    before = fail_many(world, 3)
    all_run(world, before)
    number = world.control.arm(point, "snapshot", snapshot=world.folder / "redis")
    objects = fail_many(world, 8)
    all_run(world, before + objects)
    assert world.control.hit(number), "the point was passed"
    world.roll_back_to(world.control.snapshot(number))
    world.wait_for_epoch()
    later = fail_many(world, 2)
    all_run(world, before + objects + later)


def test_a_late_enqueue_of_a_forgotten_attempt(make_world: Making) -> None:
    """The enqueue is under way, Redis forgets that it was; the draft is not taken for one that may be left alone."""
    world = make_world(workers=1)
    world.begin(world.trigger())
    number = world.control.arm(Point("before", "store:claim"), "snapshot", snapshot=world.folder / "redis")
    held = world.sandbox.fault("hold", "tasks.enqueue", caller=world.name, times=1)
    failed = world.fail_task()
    eventually(lambda: world.sandbox.held(held), "the enqueue is under way")
    assert world.control.hit(number)
    world.roll_back_to(world.control.snapshot(number))
    world.wait_for_epoch()
    eventually(lambda: world.ledger.due("dispatch") or world.history(failed), "the change is granted again")
    eventually(lambda: len(world.sandbox.requests(endpoint="tasks.get_all", caller=world.name)) > 1, "it is looked for")
    world.sandbox.release(held)
    all_run(world, [failed])


def test_an_empty_redis_launches_nothing_twice(make_world: Making) -> None:
    world = make_world(workers=2)
    world.begin(world.trigger())
    old = fail_many(world, 6)
    all_run(world, old)
    number = world.control.arm(Point("before", "store:record"), "kill")
    half = world.fail_task()
    eventually(lambda: world.control.hit(number), "a worker dies before the record")
    world.kill_redis(world.delete_append_only_file)
    world.register()
    world.wait_for_poll()
    (abandoned,) = world.drafts()
    # what changes again matches again, and is known by the marks on its launch
    world.call("tasks.update_tags", ids=[*old, half], add_tags=["again"])
    new = fail_many(world, 4)
    all_run(world, [*old, half, *new])
    assert abandoned in world.drafts(), "a draft of an attempt unknown here is left alone"


def test_a_frozen_worker_meets_an_emptied_redis(make_world: Making) -> None:
    """It continues after the others have launched what it was about to record; its record is refused."""
    world = make_world(workers=2)
    world.begin(world.trigger())
    number = world.control.arm(Point("before", "store:record"), "stop")
    failed = world.fail_task()
    hit = eventually(lambda: world.control.hit(number), "a worker stops before the record")
    world.kill_redis(world.delete_append_only_file)
    world.register()
    world.wait_for_poll()
    world.call("tasks.update_tags", ids=[failed], add_tags=["again"])
    all_run(world, [failed])
    world.workers.go_on(hit.pid)
    eventually(lambda: world.control.has_resumed(number), "it goes on")
    all_run(world, [failed, *fail_many(world, 3)])
