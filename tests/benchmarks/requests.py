"""API requests per launch with a tag and parameters, reads of base tasks and queues included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.benchmarks.result import Bound, Result
from tests.benchmarks.server import Server, original, server, stages

BOUND = Bound(most=2)
#: Firings of one poll.
SIZES = (10, 100)
FIELDS: dict[str, Any] = {"trigger_on_status": ["failed"], "trigger_name": "^watched"}
PARAMETERS = {"Args/source": "${task.id}", "Args/epochs": 3}


def measure(runs: int) -> list[Result]:
    """Let both launch for the same ClearML tasks; the poll's own requests do not count."""
    rows = []
    with server() as of, stages(of) as world, original(of) as other:
        world.declare(world.trigger(action={"tag": "ours", "parameters": PARAMETERS}, **FIELDS))
        action = {"schedule_task_id": world.base, "schedule_queue": "default", "add_tag": "theirs"}
        other.ask("begin", triggers=[("task", {"name": "t", **action, "task_parameters": PARAMETERS, **FIELDS})])
        other.ask("step")
        world.step()
        for size in SIZES:
            ours, theirs = [], []
            for _ in range(runs):
                for _ in range(size):
                    world.fail_task(name="watched")
                theirs.append((launching(of, lambda: other.ask("step"), size) - 1) / size)
                world.poll()
                ours.append(launching(of, world.settle, size) / size)
            measure = f"API requests per launch with tag and parameters, {size} in one poll"
            rows.append(Result(measure, "requests", tuple(ours), tuple(theirs), BOUND))
    return rows


def launching(of: Server, act: Callable[[], Any], size: int) -> int:
    """Requests that an act makes, which has to launch so many."""
    before = of.last()
    act()
    made = [entry for entry in of.since(before) if not entry["endpoint"].startswith("events.")]
    cloned = sum(entry["endpoint"] == "tasks.clone" for entry in made)
    if cloned != size:
        raise RuntimeError(f"{cloned} ClearML tasks were cloned instead of {size}")
    return len(made)
