"""last_metrics: the summary of the scalars of a task.

`value` is that of the highest iteration within a batch (of two of one iteration the later line); a later batch
replaces it even with an older iteration. The mean is kept rounded to two digits and goes on from there.
"""

from __future__ import annotations

import math
from hashlib import md5
from typing import Any

from ..clock import stamp

Json = dict[str, Any]


def name_hash(name: str) -> str:
    """The key of a metric or variant name in last_metrics."""
    return md5(name.encode(), usedforsecurity=False).hexdigest()


class Metrics:
    """The metrics of one object while a batch is added to them."""

    def __init__(self, obj: Json, now: float) -> None:
        self.obj, self.now = obj, now

    def add(self, batch: list[Json]) -> None:
        """Take in the events of one batch."""
        obj = self.obj
        groups: dict[tuple[str, str], list[tuple[int, float]]] = {}
        stats: Json = {}
        for event in batch:
            iteration = event.get("iter")
            iteration = iteration if isinstance(iteration, int) else 0
            obj["last_iteration"] = max(obj["last_iteration"], iteration)
            metric, variant = str(event.get("metric") or ""), str(event.get("variant") or "")
            self._count(stats, metric, event["type"])
            value = event.get("value")
            if event["type"] == "training_stats_scalar" and isinstance(value, (int, float)):
                groups.setdefault((metric, variant), []).append((iteration, value))
        obj["metric_stats"] = stats
        for (metric, variant), samples in groups.items():
            variants = obj["last_metrics"].setdefault(name_hash(metric), {})
            known = variants.get(name_hash(variant))
            variants[name_hash(variant)] = summary(metric, variant, samples, known)

    def _count(self, stats: Json, metric: str, kind: str) -> None:
        """Statistics are those of the last batch."""
        entry = stats.setdefault(name_hash(metric), {"metric": metric, "event_stats_by_type": {}})
        entry["event_stats_by_type"][kind] = {"last_update": stamp(self.now)}


def summary(metric: str, variant: str, samples: list[tuple[int, float]], known: Json | None) -> Json:
    """The summary of a metric after some samples (iteration, value) more."""
    last = max(range(len(samples)), key=lambda i: (samples[i][0], i))
    first = min(samples, key=lambda sample: sample[0])
    low = min(samples, key=lambda sample: _rank(sample[1]))
    high = max(samples, key=lambda sample: _rank(sample[1]))
    total, count = sum(value for _, value in samples), len(samples)
    result: Json = {"metric": metric, "variant": variant, "value": samples[last][1]}
    if known is None:
        known = {"first_value": first[1], "first_value_iteration": first[0], "count": 0, "mean_value": 0.0}
        known |= {"min_value": low[1], "min_value_iteration": low[0]}
        known |= {"max_value": high[1], "max_value_iteration": high[0]}
    if _rank(low[1]) < _rank(known["min_value"]):
        known = {**known, "min_value": low[1], "min_value_iteration": low[0]}
    if _rank(high[1]) > _rank(known["max_value"]):
        known = {**known, "max_value": high[1], "max_value_iteration": high[0]}
    mean = (known["mean_value"] * known["count"] + total) / (known["count"] + count)
    return {**known, **result, "count": known["count"] + count, "mean_value": _rounded(mean)}


def _rank(value: float) -> float:
    """NaN is less than every number."""
    return -math.inf if math.isnan(value) else value


def _rounded(value: float) -> float:
    return round(value, 2) if math.isfinite(value) else value
