"""Answers that are lost, cut, or not the server's: whether a call took effect is unknown, and nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.crash.everywhere import Run
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.world import World

Making = Callable[..., World]

#: answered or not, in effect or not
FAULTS: list[dict[str, Any]] = [
    {"kind": "drop", "when": "before"},
    {"kind": "drop", "when": "after"},
    {"kind": "error", "when": "before", "status": 500},
    {"kind": "error", "when": "after", "status": 503},
    {"kind": "html", "when": "after"},
    {"kind": "malformed"},
]
WRITING = ("tasks.clone", "tasks.edit", "tasks.enqueue", "tasks.enqueue_many", "tasks.delete")
OBJECTS = 6


def _many(world: World) -> list[str]:
    ids = [world.create_task() for _ in range(OBJECTS)]
    for step in ("tasks.started", "tasks.failed"):
        for id_ in ids:
            world.call(step, task=id_)
    return ids


def scenario(name: str) -> Scenario:
    (found,) = (one for one in SCENARIOS if one.name == name)
    return Scenario(name, found.triggers, _many)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clone", "edit"])
def test_lost_replies_double_nothing(make_world: Making, name: str) -> None:
    world = make_world(workers=2, retry_cap_seconds=0.5, max_attempts=1000)
    run = Run(world, scenario(name))
    run.begin()
    for seed, fault in enumerate(FAULTS):
        objects = run.change()
        for endpoint in WRITING:
            world.fault(**fault, endpoint=endpoint, fraction=0.35, seed=seed)
        run.finish(objects, f"{fault}")
        world.clear_faults()
    hits = [entry for entry in world.sandbox.requests(caller=world.name) if entry["faults"]]
    assert {entry["endpoint"] for entry in hits} >= {"tasks.clone", "tasks.delete"}, "faults hit this world"
    run.end()


@pytest.mark.slow
def test_every_call_may_fail(make_world: Making) -> None:
    """Reading too: a third of all calls is lost, some before and some after they took effect."""
    world = make_world(workers=2, retry_cap_seconds=0.5, max_attempts=1000)
    run = Run(world, scenario("edit"))
    run.begin()
    for when in ("before", "after"):
        world.fault("drop", "*", when=when, fraction=0.15, seed=7)
    objects = _many(world) + _many(world)
    run.finish(objects, "a third of all calls is lost")
    run.changed += objects
    run.end()
