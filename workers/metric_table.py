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
    "beat_leader": Declared("gauge", "Whether a beat holds the schedule and ticks."),
    "queue_messages": Declared("gauge", "Celery messages waiting in a queue.", ("queue",)),
    "poll_pace_seconds": Declared(
        "gauge",
        "Pause between two polls; the longest pause if it varies.",
        ("scheduler",),
    ),
    "poll_last_success_timestamp_seconds": Declared("gauge", "Time at which a poll last read a page.", ("scheduler",)),
    "cursor_timestamp_seconds": Declared(
        "gauge",
        "Time up to which changes of a source were read, by the ClearML server's clock.",
        ("scheduler", "source"),
    ),
    "batches_waiting": Declared("gauge", "Batches of events waiting to be matched.", ("scheduler",)),
    "firings_due": Declared("gauge", "Firings that are due now.", ("scheduler", "lane"), f"lane: {', '.join(LANES)}"),
    "firings_unfinished": Declared("gauge", "Firings that are due now or later.", ("scheduler", "lane")),
    "stage_waiting": Declared("gauge", "Items of work that are due and wait for a stage.", ("scheduler", "stage")),
    "stage_oldest_waiting_seconds": Declared(
        "gauge",
        "How long the oldest item of work that waits for a stage has been due; 0 if there is none.",
        ("scheduler", "stage"),
    ),
    "firings_held": Declared("gauge", "Held firings.", ("scheduler", "reason"), "reason: pause, pace, slot"),
    "dead_letters": Declared(
        "gauge", "Dead letters: firings that were given up and wait for a person.", ("scheduler",)
    ),
    "slots_bound": Declared("gauge", "Slots that a launch of a single_instance trigger holds.", ("scheduler",)),
    "alarm_since_timestamp_seconds": Declared("gauge", "Time at which an alarm was raised.", ("scheduler", "alarm")),
    "triggers": Declared("gauge", "Registered triggers.", ("scheduler", "state"), "state: active, paused, retired"),
    "events": Declared(
        "counter",
        "Changes that may concern a trigger and were stored, since the exporter started.",
        ("scheduler", "kind"),
        f"kind: {', '.join(KINDS)}",
    ),
    "matches": Declared(
        "counter", "Events that a trigger fired for, since its Redis was last empty.", ("scheduler", "trigger")
    ),
    "firings": Declared(
        "counter", "Outcomes of firings, since their Redis was last empty.", ("scheduler", "trigger", "outcome")
    ),
    "launch_latency_seconds": Declared(
        "histogram",
        "Time from the change (by the ClearML server's clock) or from the grant to the launch (by Redis' clock).",
        ("scheduler", "since"),
        "since: change, grant",
    ),
    "api_requests": Declared(
        "counter",
        "HTTP requests of scripts, workers and the command line to the ClearML API, including log-ins and retries.",
        ("endpoint", "result"),
    ),
    "api_calls_month": Declared(
        "gauge",
        "HTTP requests to the ClearML API since the month (UTC) began.",
        ("cause", "endpoint"),
        "cause: poll, launch, action, sync, script, verb and others",
    ),
    "api_calls_projected": Declared(
        "gauge", "Requests that the whole month will have, if the rest of it continues as the last day did."
    ),
    "api_calls_limit": Declared("gauge", "`TRIGGERS_API_CALLS_PER_MONTH`; absent if that is not set."),
    "api_paused_seconds": Declared(
        "gauge", "Remaining time of a pause that the ClearML server asked for; 0 if there is none."
    ),
}

_HEAD = """# Metrics

Written from `workers/metric_table.py` by `python -m workers.metric_table`.

`python -m clearml_triggers.workers.metrics` serves metrics for Prometheus at `TRIGGERS_METRICS_ADDRESS`
(`127.0.0.1:9808`). It reads everything from Redis, so one exporter reports on all workers of all hosts. It needs the
extra `metrics`: `pip install 'clearml-triggers[metrics]'`.

`scheduler` is the project and name of the service task, and `trigger` is `kind:name`. Labels never contain ids of
objects. A counter can restart from 0, which `rate` and `increase` handle. [Alerts](alerts.md) lists the alert rules.

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
