"""Ten thousand mixed triggers and as many events, where each event concerns few of them."""

from __future__ import annotations

import random
import time

import pytest

from triggers.model.events import Event, Metric, metric_key
from triggers.rules.conditions import matches
from triggers.rules.index import Index

MANY = 10_000
#: Two seconds where decoding the events takes a tenth of one; it takes four times as long as that.
LIMIT_OF_DECODING = 20


def mixed(make, n):
    kind, condition = [
        ("model", {"trigger_project": f"p{n % 500}", "trigger_on_tags": [f"tag{n % 97}"]}),
        ("model", {"trigger_on_publish": True, "trigger_on_tags": [f"release{n}"]}),
        ("dataset", {"trigger_project": f"p{n}"}),
        ("dataset", {"trigger_on_any_tags": [f"x{n}", f"y{n}"]}),
        ("task", {"trigger_project": f"p{n % 1000}", "trigger_on_status": ["failed"]}),
        ("task", {"trigger_project": f"p{n % 500}", "trigger_name": rf"run{n}\b.*$"}),
        ("task", {"trigger_project": f"p{n}", **metric_of(n)}),
        ("task", {"trigger_name": f"^run{n}$", "trigger_on_status": ["completed", "failed"]}),
        ("task", {"trigger_required_tags": [f"tag{n}"], "trigger_exclude_dev_tasks": True}),
        ("task", {"trigger_on_archive": True, "trigger_project": f"p{n}"}),
    ][n % 10]
    return make(kind, name=f"t{n}", **condition)


def metric_of(n):
    return {"trigger_on_metric": "loss", "trigger_on_variant": f"v{n % 300}", "trigger_on_threshold": 0.1}


def random_event(dice, n):
    kind = dice.choice(["model", "dataset", "task", "task"])
    project = f"p{dice.randrange(MANY)}"
    return Event(
        kind=kind,
        id=f"{n:032x}",
        changed_ms=n,
        name=f"run{dice.randrange(MANY)}",
        project=f"{project}/.datasets/d" if kind == "dataset" else project,
        tags=(f"tag{dice.randrange(MANY)}", f"tag{dice.randrange(97)}"),
        status="" if kind == "model" else dice.choice(["failed", "completed", "in_progress"]),
        ready=kind == "model" and dice.random() < 0.5,
        metrics={} if kind == "model" else {metric_key("loss", f"v{dice.randrange(300)}"): Metric(0.05, 0.01, 0.3)},
    )


def test_ten_thousand_triggers_and_events_take_little_more_than_decoding_the_events(make):
    dice = random.Random(1)
    triggers = [mixed(make, n) for n in range(MANY)]
    lines = [random_event(dice, n).to_json() for n in range(MANY)]
    began = time.process_time()
    for line in lines:
        Event.from_json(line)
    started = time.process_time()
    index = Index(triggers)
    looked_at = matched = 0
    for line in lines:
        event = Event.from_json(line)
        for trigger in index.candidates(event):
            looked_at += 1
            matched += matches(trigger, event)
    assert time.process_time() - started < LIMIT_OF_DECODING * (started - began)
    assert looked_at < 5 * MANY  # of 100 million pairs
    assert matched > 0


@pytest.mark.parametrize("number", [1_000, 10_000])
def test_an_event_concerns_as_few_triggers_however_many_there_are(make, number):
    """Flat by count, not by time: the triggers looked at for an event, where each concerns one project's."""
    conditions = [("task", {"trigger_project": f"p{n // 5}", "trigger_on_status": ["failed"]}) for n in range(number)]
    index = Index([make(kind, name=f"t{n}", **condition) for n, (kind, condition) in enumerate(conditions)])
    event = Event("task", "e" * 32, 1, "run", "p7", status="failed")
    assert len(list(index.candidates(event))) == 5
    quiet = Event("task", "e" * 32, 1, "run", "elsewhere", status="failed")
    assert list(index.candidates(quiet)) == []
