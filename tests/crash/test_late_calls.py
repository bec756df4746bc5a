"""Calls that arrive after their worker died or was overtaken: a late clone, edit, enqueue or delete changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash.edges import Point
from tests.crash.processes import eventually
from tests.crash.world import World

Making = Callable[..., World]

EDITED = {"overrides": {"script.branch": "main"}}


@pytest.mark.parametrize("endpoint", ["tasks.clone", "tasks.edit", "tasks.enqueue", "tasks.delete"])
def test_a_call_that_takes_effect_after_its_worker_died(make_world: Making, endpoint: str) -> None:
    """The call is held on its way, the worker killed, the change launched by the next; then the call takes effect."""
    world = make_world()
    world.begin(world.trigger(action=EDITED))
    held = world.sandbox.fault("hold", endpoint, caller=world.name, times=1)
    if endpoint == "tasks.delete":
        world.fault("drop", "tasks.enqueue", times=1)
    failed = world.fail_task()
    eventually(lambda: world.sandbox.held(held), f"the call is under way\n{world.log()}")
    world.workers.kill_all()
    eventually(lambda: world.runs()[failed] and world.ended([failed]), f"it is launched\n{world.log()}")
    before = len(world.sandbox.requests(endpoint=endpoint, caller=world.name))
    assert world.sandbox.release(held) == 1
    eventually(lambda: len(world.sandbox.requests(endpoint=endpoint, caller=world.name)) > before, "the call arrives")
    eventually(lambda: not world.has_strays(), "drafts of void attempts are looked for")
    eventually(lambda: not world.drafts(), "what the late call made is gone")
    assert world.runs()[failed] == 1
    (launch,) = world.launched()
    assert launch["script"]["branch"] == "main"


@pytest.mark.parametrize("first", ["enqueue", "delete"])
def test_a_late_enqueue_against_the_delete_of_its_draft(make_world: Making, first: str) -> None:
    """One worker is frozen before it enqueues, one between its look at the status and the delete; either goes first."""
    world = make_world(workers=2)
    world.begin(world.trigger())
    enqueueing = world.control.arm(Point("before", "api:tasks.enqueue"), "stop")
    failed = world.fail_task()
    enqueuer = eventually(lambda: world.control.hit(enqueueing), "one stops before the enqueue")
    deleting = world.control.arm(Point("before", "api:tasks.delete"), "stop")
    deleter = eventually(lambda: world.control.hit(deleting), f"one stops before the delete\n{world.log()}")
    (draft,) = world.drafts()
    if first == "enqueue":
        world.workers.go_on(enqueuer.pid)
        eventually(lambda: world.run_starts_of(draft), "the late enqueue wins")
        world.workers.go_on(deleter.pid)
    else:
        world.workers.go_on(deleter.pid)
        eventually(lambda: draft not in {task["id"] for task in world.launched()}, "the delete wins")
        world.workers.go_on(enqueuer.pid)
    eventually(lambda: world.runs()[failed] and world.ended([failed]), f"it ends\n{world.log()}")
    eventually(lambda: world.control.has_resumed(enqueueing) and world.control.has_resumed(deleting), "both go on")
    eventually(lambda: not world.has_strays(), "drafts of void attempts are looked for")
    assert world.runs()[failed] == 1
    assert bool(world.run_starts_of(draft)) == (first == "enqueue")


@pytest.mark.parametrize("nth", [1, 2])
def test_a_worker_frozen_before_an_enqueue_of_several(make_world: Making, nth: int) -> None:
    """`enqueue_many` by an overtaken worker: those whose draft is gone fail, and none is queued twice."""
    world = make_world(workers=2)
    world.begin(world.trigger())
    number = world.control.arm(Point("before", "api:tasks.enqueue_many"), "stop")
    objects = [world.create_task() for _ in range(6)]
    for step in ("tasks.started", "tasks.failed"):
        for id_ in objects:
            world.call(step, task=id_)
    hit = eventually(lambda: world.control.hit(number) or world.ended(objects), "it stops, or nothing was together")
    if hit is not True:
        again = world.control.arm(Point("before", "api:tasks.delete", nth), "stop")
        second = eventually(lambda: world.control.hit(again), f"the other stops in the middle\n{world.log()}")
        world.workers.go_on(hit.pid)
        eventually(lambda: world.control.has_resumed(number), "the first goes on")
        world.workers.go_on(second.pid)
    eventually(lambda: world.ended(objects) and len(world.runs()) == 6, f"all end\n{world.log()}")
    assert set(world.runs().values()) == {1}


def test_an_answer_that_comes_after_the_patience_ended(make_world: Making) -> None:
    world = make_world(request_timeout_seconds=1.0)
    world.begin(world.trigger(action=EDITED))
    for endpoint in ("tasks.clone", "tasks.edit", "tasks.enqueue"):
        world.fault("delay", endpoint, seconds=1.5, when="after", times=1)
    failed = world.fail_task()
    eventually(lambda: world.runs()[failed] and world.ended([failed]), f"it ends\n{world.log()}")
    eventually(lambda: not world.has_strays(), "drafts of void attempts are looked for")
    assert world.runs()[failed] == 1
    eventually(lambda: not world.drafts(), "no draft is left")
