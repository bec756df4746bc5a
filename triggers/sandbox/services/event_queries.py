"""What the SDK reads of events beside lists of them: single values, plots, debug samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..calls import Call, Json, endpoint

#: the iteration under which the SDK reports a value that has none
SINGLE_VALUE = -(2**31)


def _events(call: Call, key: str, kind: str) -> list[Json]:
    return [event for event in call.state.events.get(key, ()) if event["type"] == kind]


def _named(event: Json) -> tuple[str, str]:
    return str(event.get("metric") or ""), str(event.get("variant") or "")


def _newest(events: Iterable[Json], iterations: int) -> list[Json]:
    """The events of the last iterations of each metric and variant, the newest first."""
    found: dict[tuple[str, str], dict[Any, Json]] = {}
    for event in events:
        found.setdefault(_named(event), {})[event.get("iter", 0)] = event
    kept = [by_iter[n] for by_iter in found.values() for n in sorted(by_iter, reverse=True)[:iterations]]
    return sorted(kept, key=lambda event: -event.get("iter", 0))


def _count(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default


@endpoint("events.get_task_single_value_metrics", "tasks[]!")
def get_task_single_value_metrics(call: Call) -> Json:
    """Values that tasks report once, each as it was reported last; tasks without any are left out."""
    found = []
    for key in dict.fromkeys(call.body["tasks"]):
        values: dict[tuple[str, str], Json] = {}
        for event in _events(call, key, "training_stats_scalar"):
            if event.get("iter") == SINGLE_VALUE:
                metric, variant = _named(event)
                when = event.get("timestamp", int(call.now * 1000))
                values[metric, variant] = {"metric": metric, "variant": variant, "value": event.get("value")}
                values[metric, variant]["timestamp"] = when
        if values:
            found.append({"task": key, "values": [values[name] for name in sorted(values)]})
    return {"tasks": found}


@endpoint("events.get_task_plots", "task!")
def get_task_plots(call: Call) -> Json:
    """Plots of a task: of each metric and variant those of the last `iters` iterations, all in one answer."""
    found = (
        [] if call.get("scroll_id") else _newest(_events(call, call.body["task"], "plot"), _count(call.get("iters"), 1))
    )
    scroll = None if call.get("no_scroll") else "all"
    return {"plots": found, "returned": len(found), "total": len(found), "scroll_id": scroll}


@endpoint("events.debug_images", "metrics[]!")
def debug_images(call: Call) -> Json:
    """Debug samples of tasks by iteration, the newest first; metrics and variants may be chosen."""
    iterations, found = _count(call.get("iters"), 1), []
    for wanted in call.body["metrics"]:
        events = _events(call, wanted["task"], "training_debug_image")
        if wanted.get("metric"):
            events = [event for event in events if event.get("metric") == wanted["metric"]]
        if wanted.get("variants"):
            events = [event for event in events if event.get("variant") in wanted["variants"]]
        by_iter: dict[int, list[Json]] = {}
        for event in _newest(events, iterations):
            by_iter.setdefault(event.get("iter", 0), []).append(event)
        shown = [{"iter": number, "events": by_iter[number]} for number in sorted(by_iter, reverse=True)]
        found.append({"task": wanted["task"], "iterations": [] if call.get("scroll_id") else shown})
    return {"metrics": found, "scroll_id": "all"}
