"""The first of all crash tests, by hand: the dispatcher killed after the clone and before the record.

Its workers are started by exec, as in local mode, not forked: how long an interpreter takes is part of it.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.crash import report
from tests.crash.edges import Point
from tests.crash.processes import eventually
from tests.crash.world import World


def test_a_dispatcher_killed_between_clone_and_record_makes_one_launch(make_world: Callable[..., World]) -> None:
    world = make_world(nursery=None)
    world.begin(world.trigger())
    number = world.control.arm(Point("after", "api:tasks.clone"), "kill")
    failed = world.fail_task()
    hit = eventually(lambda: world.control.hit(number), "the worker dies")
    (draft,) = world.drafts()
    eventually(lambda: world.ended([failed]), "the firing ends")
    eventually(lambda: world.runs()[failed], "its launch runs")
    assert world.runs()[failed] == 1
    assert draft not in {task["id"] for task in world.launched()}, "the draft of the dead attempt is gone"
    report.tally("kill, new interpreter").recovered(world.run_starts_of(failed)[0] - hit.at)
