"""Every metric that the exporter serves, declared once: `python -m workers.metric_table > docs/reference/metrics.md`.

`exporter` and `tallies` make families from this table and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from triggers.base.terminal import say_page
from triggers.model.action import LANES
from triggers.model.kinds import KINDS

#: What every name begins with.
PREFIX: Final = "clearml_triggers"


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric.

    Attributes:
        kind: Its type in Prometheus.
        text: What it counts or measures, and by which clock.
        labels: Names of its labels, in order.
        values: What a label can be, where there are few possibilities.
    """

    kind: Literal["gauge", "counter", "histogram"]
    text: str
    labels: tuple[str, ...] = ()
    values: str = ""


METRICS: Final[dict[str, Declared]] = {
    "redis_up": Declared("gauge", "Whether Redis answered this scrape."),
    "beat_leader": Declared("gauge", "Whether a beat ticks."),
    "queue_messages": Declared("gauge", "Celery messages that wait.", ("queue",)),
    "poll_pace_seconds": Declared(
        "gauge",
        "Pause between two polls; the longest one where it varies.",
        ("scheduler",),
    ),
    "poll_last_success_timestamp_seconds": Declared("gauge", "When a page was last read.", ("scheduler",)),
    "cursor_timestamp_seconds": Declared(
        "gauge", "Up to which change the server was read, by its own clock.", ("scheduler", "source")
    ),
    "batches_waiting": Declared("gauge", "Batches of events that wait to be matched.", ("scheduler",)),
    "firings_due": Declared(
        "gauge", "Firings that could be launched now.", ("scheduler", "lane"), f"lane: {', '.join(LANES)}"
    ),
    "firings_unfinished": Declared("gauge", "Firings due now or later.", ("scheduler", "lane")),
    "stage_waiting": Declared("gauge", "Things due that wait for a stage.", ("scheduler", "stage")),
    "stage_oldest_waiting_seconds": Declared(
        "gauge",
        "For how long the oldest thing that waits for a stage has been due; 0 if none is.",
        ("scheduler", "stage"),
    ),
    "firings_held": Declared(
        "gauge", "Firings that wait on purpose.", ("scheduler", "reason"), "reason: pause, pace, slot"
    ),
    "dead_letters": Declared("gauge", "Firings given up, kept for a person.", ("scheduler",)),
    "slots_bound": Declared("gauge", "Slots of single_instance triggers with a holder.", ("scheduler",)),
    "alarm_since_timestamp_seconds": Declared("gauge", "Since when an alarm is set.", ("scheduler", "alarm")),
    "triggers": Declared("gauge", "Registered triggers.", ("scheduler", "state"), "state: active, paused, retired"),
    "events": Declared(
        "counter",
        "Changes stored since the exporter started: those that some trigger may concern.",
        ("scheduler", "kind"),
        f"kind: {', '.join(KINDS)}",
    ),
    "matches": Declared(
        "counter", "Events that a trigger fired for, since its Redis was empty.", ("scheduler", "trigger")
    ),
    "firings": Declared(
        "counter", "What became of firings, since their Redis was empty.", ("scheduler", "trigger", "outcome")
    ),
    "launch_latency_seconds": Declared(
        "histogram",
        "From the change (by the ClearML server's clock) or the grant to the launch (by Redis' clock).",
        ("scheduler", "since"),
        "since: change, grant",
    ),
    "api_requests": Declared(
        "counter",
        "HTTP requests of scripts, workers and the command line to the ClearML API, log-ins and second tries included.",
        ("endpoint", "result"),
    ),
    "api_calls_month": Declared(
        "gauge",
        "The same since the month (UTC) began.",
        ("cause", "endpoint"),
        "cause: poll, launch, action, sync, script, verb and others",
    ),
    "api_calls_projected": Declared("gauge", "What the month comes to if its rest goes on as the last day did."),
    "api_calls_limit": Declared("gauge", "`TRIGGERS_API_CALLS_PER_MONTH`; absent without one."),
    "api_paused_seconds": Declared("gauge", "What is left of a pause that the ClearML server asked for."),
}

_HEAD = """# Metrics

Written from `workers/metric_table.py` by `python -m workers.metric_table`.

`python -m clearml_triggers.workers.metrics` serves metrics for Prometheus at `TRIGGERS_METRICS_ADDRESS`
(`127.0.0.1:9808`). It reads everything from Redis, so one exporter reports on all workers of all hosts. It needs the
extra `metrics`: `pip install 'clearml-triggers[metrics]'`.

`scheduler` is the project and name of the service task, `trigger` is `kind:name`. Labels never hold ids of objects.
Counters may start at 0 again; `rate` and `increase` allow for it. [Alerts](alerts.md) lists the alert rules.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The reference page."""
    return _HEAD + "".join(_row(name, metric) for name, metric in METRICS.items())


def _row(name: str, metric: Declared) -> str:
    total = "_total" if metric.kind == "counter" else ""
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    values = f" ({metric.values})" if metric.values else ""
    return f"| `{PREFIX}_{name}{total}` | {metric.kind} | {labels}{values} | {metric.text} |\n"


if __name__ == "__main__":
    say_page(page(), end="")
