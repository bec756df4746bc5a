"""Ten thousand running ClearML tasks report metrics between two polls; ten triggers watch three of their projects."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.result import Bound, Result
from tests.benchmarks.server import Server, original, server, stages
from triggers.sandbox import Sandbox
from triggers.sandbox.calls import ENDPOINTS, Call
from triggers.stages.match import match

PROJECTS, EACH, WATCHED = 100, 100, 3
#: Of the watched ones, this many fail between two polls: none of them may be missed.
FAILING = 5
#: ClearML tasks whose metrics one call reports.
AT_ONCE = 500
#: What triggers can concern, to a hundredth: the objects of the watched projects.
BOUND = Bound(most=1.01 * WATCHED * EACH)

METRIC = {"trigger_on_metric": "loss", "trigger_on_variant": "val"}
CONDITIONS: list[dict[str, Any]] = [
    {"trigger_on_status": ["failed"]},
    {"trigger_on_tags": ["evaluate"]},
    {**METRIC, "trigger_on_threshold": -1.0},
]


def fill(sandbox: Sandbox) -> None:
    """Put the running ClearML tasks into a server that does not listen yet."""
    state, now = sandbox.app.state, time.time() - 3600
    for number in range(PROJECTS):
        project = state.project_of(f"team {number}", state.made)["id"]
        for n in range(EACH):
            body = {"name": f"train {n}", "type": "training", "project": project, "tags": ["baseline"]}
            id_ = ENDPOINTS["tasks.create"].handler(Call(state, "tasks.create", body, now))["id"]
            ENDPOINTS["tasks.started"].handler(Call(state, "tasks.started", {"task": id_}, now))


def declared() -> list[tuple[str, dict[str, Any]]]:
    """Ten triggers on three projects."""
    made = [{**condition, "trigger_project": f"team {number}"} for number in range(WATCHED) for condition in CONDITIONS]
    made.append({"trigger_project": "team 0", "trigger_name": "^nightly"})
    return [("task", {**fields, "name": f"t{n}"}) for n, fields in enumerate(made)]


def measure(runs: int) -> list[Result]:
    """Count requests and bytes in the server's log, both in turn after the same reports."""
    requests: list[list[float]] = [[], []]
    kilobytes: list[list[float]] = [[], []]
    events = []
    with server(fill) as of, stages(of) as world, original(of) as other:
        ids = running(of)
        world.declare(*(world.trigger(kind, **fields) for kind, fields in declared()))
        world.poll()
        other.ask("begin", triggers=declared())
        other.ask("step")
        for run in range(runs):
            report(of, ids, run)
            failing = ids[run * FAILING : (run + 1) * FAILING]
            for task in failing:
                of.call("tasks.failed", task=task)
            before = of.last()
            polled = world.poll()
            between = of.last()
            found = other.ask("step")
            after = of.since(before)
            sides = [e for e in after if e["number"] <= between], [e for e in after if e["number"] > between]
            for side, entries in enumerate(sides):
                entries = [e for e in entries if not e["endpoint"].startswith("events.")]
                requests[side].append(float(len(entries)))
                kilobytes[side].append(sum(e["received"] + e["sent"] for e in entries) / 1000)
            events.append(float(polled.events))
            granted = sum(match(world.ctx, partition) for partition in range(world.settings.partitions))
            if not granted == len(found) == FAILING:
                raise RuntimeError(f"{granted} fired here and {len(found)} there instead of {FAILING}")
    what = "a poll while 10,000 running tasks report, 10 triggers on 3 projects"
    return [
        Result(f"{what}: requests", "requests", tuple(requests[0]), tuple(requests[1])),
        Result(f"{what}: bytes", "kB", tuple(kilobytes[0]), tuple(kilobytes[1])),
        Result(f"{what}: objects matched against triggers", "objects", tuple(events), bound=BOUND),
    ]


def running(of: Server) -> list[str]:
    """Ids of all running ClearML tasks, those of the watched projects first."""
    found: list[str] = []
    for number in range(PROJECTS):
        (project,) = of.call("projects.get_all", name=f"^team {number}$", only_fields=["id"])["projects"]
        tasks = of.call("tasks.get_all", project=[project["id"]], only_fields=["id"], page=0, page_size=AT_ONCE)
        found += [task["id"] for task in tasks["tasks"]]
    if len(found) != PROJECTS * EACH:
        raise RuntimeError(f"{len(found)} ClearML tasks were found")
    return found


def report(of: Server, ids: Sequence[str], run: int) -> None:
    """Let each of them report its loss once."""
    event = {"type": "training_stats_scalar", "metric": "loss", "variant": "val", "iter": run, "value": 0.5}
    for start in range(0, len(ids), AT_ONCE):
        of.call("events.add_batch", requests=[{**event, "task": task} for task in ids[start : start + AT_ONCE]])
