"""Every `overlap` of a schedule against every state that its previous launch may be in when the next time comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_schedules import Wall, launched, schedule, tick, wall

__all__ = ["tick", "wall"]

RUNS, ENDED = ("queued", "in_progress"), ("completed", "failed", "stopped", "deleted", "dequeued")
FIRST, SECOND, THIRD = (f"2026-11-27T{hour:02}:00:00Z" for hour in (9, 10, 11))


def bring_to(world: World, task: str, state: str) -> None:
    if state == "dequeued":  # by a person
        world.call("tasks.dequeue", task=task)
        return
    if state != "queued":
        world.call("tasks.started", task=task)
    if state == "completed":
        world.call("tasks.completed", task=task)
    elif state == "failed":
        world.call("tasks.failed", task=task)
    elif state == "stopped":
        world.call("tasks.stop", task=task, force=True)
    elif state == "deleted":
        world.call("tasks.delete", task=task, force=True)


@pytest.fixture
def previous(world: World, wall: Wall, tick: Callable[[], None]) -> Callable[[str, str], str]:
    """Launch the first time of a schedule and bring what it launched to a state; its id."""

    def of(overlap: str, state: str) -> str:
        policy: dict[str, Any] = {"overlap": overlap, "single_instance": overlap != "all"}
        world.declare(schedule(world, cron="0 * * * *", policy=policy))
        wall.at("2026-11-27T09:00:01")
        tick()
        (clone,) = world.clones()
        bring_to(world, clone["id"], state)
        return str(clone["id"])

    return of


@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize("overlap", ["skip", "queue", "latest", "all", "cancel_previous"])
def test_what_has_ended_keeps_nothing_back(
    world: World, wall: Wall, tick: Callable[[], None], previous: Callable[[str, str], str], overlap: str, state: str
) -> None:
    world.launched_before(previous(overlap, state), 60)  # so long that reads show what became of it
    wall.at("2026-11-27T10:00:01")
    tick()
    world.reconcile()
    assert launched(world) == [FIRST, SECOND]
    assert set(world.runs().values()) == {1}


@pytest.mark.parametrize("state", RUNS)
@pytest.mark.parametrize(
    ("overlap", "at_once", "afterwards"),
    [
        ("skip", [FIRST], [FIRST]),
        ("queue", [FIRST], [FIRST, SECOND]),  # the third waits for the second
        ("latest", [FIRST], [FIRST, THIRD]),
        ("all", [FIRST, SECOND, THIRD], [FIRST, SECOND, THIRD]),
    ],
)
def test_what_runs_keeps_back_what_the_schedule_says(
    world: World,
    wall: Wall,
    tick: Callable[[], None],
    previous: Callable[[str, str], str],
    overlap: str,
    at_once: list[str],
    afterwards: list[str],
    state: str,
) -> None:
    task = previous(overlap, state)
    for hour in (10, 11):
        wall.at(f"2026-11-27T{hour}:00:01")
        tick()
    world.reconcile()
    assert launched(world) == at_once
    if state == "queued":
        world.call("tasks.started", task=task)
    world.call("tasks.completed", task=task)
    world.reconcile()
    world.settle()
    assert launched(world) == afterwards


@pytest.mark.parametrize("state", RUNS)
def test_the_next_time_takes_the_place_of_what_runs(
    world: World, wall: Wall, tick: Callable[[], None], previous: Callable[[str, str], str], state: str
) -> None:
    task = previous("cancel_previous", state)
    wall.at("2026-11-27T10:00:01")
    tick()
    (found,) = world.call("tasks.get_all", id=[task], only_fields=["status", "status_reason"])["tasks"]
    assert found["status"] == "stopped"
    assert "cancel_previous" in found["status_reason"]
    assert state != "queued" or task not in world.queue_entries()
    world.reconcile()
    world.settle()
    assert launched(world) == [FIRST, SECOND]
    (running,) = [one["id"] for one in world.clones(status=["queued"])]
    assert running != task
