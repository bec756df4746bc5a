"""API requests of a poll that finds nothing, with a thousand triggers of all kinds."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.result import Bound, Result
from tests.benchmarks.server import original, server, stages

TRIGGERS = 1_000
BOUND = Bound(most=2)


def declared(number: int) -> list[tuple[str, dict[str, Any]]]:
    """That number of triggers, as arguments of both."""
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("task", {"trigger_on_status": ["failed"]}),
        ("model", {"trigger_on_publish": True}),
        ("dataset", {"trigger_on_tags": ["ready"]}),
        ("task", {"trigger_on_tags": ["evaluate"]}),
    ]
    made = (kinds[n % len(kinds)] for n in range(number))
    return [(kind, {**fields, "trigger_name": f"^run {n}$", "name": f"t{n}"}) for n, (kind, fields) in enumerate(made)]


def measure(runs: int) -> list[Result]:
    """Count them in the server's log, both in turn."""
    with server() as of, stages(of) as world, original(of) as other:
        triggers = declared(TRIGGERS)
        world.declare(*(world.trigger(kind, **fields) for kind, fields in triggers))
        other.ask("begin", triggers=triggers)
        ours, theirs = [], []
        for run in range(runs + 1):
            before = of.last()
            other.ask("step")
            between = of.last()
            world.poll()
            if run:  # the first reads what came before
                theirs.append(float(len([e for e in of.since(before) if e["number"] <= between and _reads(e)])))
                ours.append(float(len(of.since(between))))
    return [Result("API requests per idle poll, 1,000 triggers", "requests", tuple(ours), tuple(theirs), BOUND)]


def _reads(entry: dict[str, Any]) -> bool:
    """Whether a call of the original is one of its poll's; its SDK reports on the side."""
    return str(entry["endpoint"]).endswith(("get_all", "get_all_ex"))
