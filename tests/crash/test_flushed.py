"""FLUSHALL while real workers serve: Redis and its run live on, all data is gone, Celery's too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash.edges import Point
from tests.crash.processes import eventually
from tests.crash.test_redis_back import all_run, fail_many
from tests.crash.world import World

Making = Callable[..., World]


def flush(world: World) -> None:
    """Empty Redis under the workers, and let the script register again."""
    world.ledger.store.client.flushall()
    world.ledger.adopt_epoch()
    world.register()
    world.wait_for_poll()


def test_emptied_between_launches(make_world: Making) -> None:
    """What was launched is not launched again when it changes; what changes later is launched, by the same workers."""
    world = make_world(workers=2)
    world.begin(world.trigger())
    objects: list[str] = []
    for _ in range(2):
        objects += fail_many(world, 5)
        all_run(world, objects)
        flush(world)
        world.call("tasks.update_tags", ids=objects, add_tags=["again"])
    all_run(world, [*objects, *fail_many(world, 3)])


@pytest.mark.parametrize(
    "point",
    [
        Point("after", "store:claim"),
        Point("before", "api:tasks.clone", 3),
        Point("after", "api:tasks.clone", 3),
        Point("before", "store:record", 3),
        Point("after", "store:record", 3),
        Point("before", "api:tasks.enqueue_many"),
        Point("after", "api:tasks.enqueue_many"),
        Point("after", "store:finish", 3),
    ],
    ids=str,
)
def test_emptied_in_the_middle_of_a_batch(make_world: Making, point: Point) -> None:
    """One worker stands at the point while Redis is emptied, and goes on in the new data."""
    world = make_world(workers=2)
    world.begin(world.trigger())
    before = fail_many(world, 3)
    all_run(world, before)
    number = world.control.arm(point, "stop")
    objects = fail_many(world, 6)
    hit = eventually(lambda: world.control.hit(number), "a worker stops")
    flush(world)
    world.call("tasks.update_tags", ids=[*before, *objects], add_tags=["again"])
    world.workers.go_on(hit.pid)
    eventually(lambda: world.control.has_resumed(number), "it goes on")
    all_run(world, [*before, *objects, *fail_many(world, 2)])


def test_emptied_while_a_single_instance_runs(make_world: Making) -> None:
    """Its slot is known again from what runs on the server."""
    world = make_world(workers=2, agent=False)
    world.begin(world.trigger(policy={"single_instance": True, "overlap": "queue"}))
    first = world.fail_task()
    eventually(lambda: world.ended([first]), f"it is launched\n{world.log()}")
    flush(world)
    second = world.fail_task()
    eventually(lambda: world.ledger.firings.holds(), f"the second waits\n{world.log()}")
    assert sum(task["status"] == "queued" for task in world.launched()) == 1
    world.hire()
    all_run(world, [second])
    assert set(world.runs()) == {first, second}
