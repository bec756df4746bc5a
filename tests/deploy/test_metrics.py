"""The metrics exporter: what it says after a real history, and that alerts and dashboard ask for what it has."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import yaml

from tests.deploy import compose
from triggers.base.broker import broker_prefix
from triggers.base.settings import Settings
from triggers.base.settings import settings as cached
from triggers.ledger import Ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.keys import shared
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.polling.batches import encode_batches
from triggers.ledger.polling.reading import Cursor
from triggers.model import make_trigger
from triggers.model.events import Event

SCHEDULER = Scheduler("http://server", "workspace", "vision", "nightly", 1.0)
LABELS = {"scheduler": "vision/nightly"}


@pytest.fixture
def exporter(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    cached.cache_clear()
    from workers.exporter import Exporter

    yield Exporter
    cached.cache_clear()


@pytest.fixture
def known(redis_client: redis.Redis, settings: Settings) -> Ledger:
    """A scheduler with one trigger, polled once."""
    from triggers.ledger import Store, open_ledger

    ledger = open_ledger(Store(redis_client), SCHEDULER.id, settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    schedulers.put(redis_client, SCHEDULER)
    action = {"type": "task", "base_task_id": "b" * 32, "queue": "default"}
    trigger = make_trigger("task", name="on failure", action=action, trigger_on_status=["failed"])
    ledger.registry.declare([trigger], origin="script", server_now_ms=1)
    return ledger


def event(number: int) -> Event:
    values = {"name": "n", "project": "vision", "tags": (), "system_tags": (), "status": "failed", "ready": False}
    changed = int(time.time() * 1000) - 500
    return Event(kind="task", id=f"{number:032d}", changed_ms=changed, type="", metrics={}, task="", **values)


def happen(ledger: Ledger, number: int) -> None:
    """A change is polled, matched and granted."""
    changed = event(number)
    now_ms = int(time.time() * 1000)
    with ledger.reading.poll(pace_seconds=1, lease_seconds=5, force=True) as token:
        assert token
        batches = encode_batches([changed], plan=1, polled_ms=now_ms, partitions=1, size=10)
        ledger.reading.commit(
            "tasks", token, Cursor(read_to_ms=now_ms), [changed], batches, forget_before_ms=0, server_ms=now_ms
        )
    from triggers.ledger import leases

    with leases.held(ledger.store, ledger.keys, "match:0", 5) as token:
        assert token
        text = ledger.reading.first_batch(0)
        assert text
        grant = Grant(
            key=f"key{number}",
            trigger="task:on failure",
            kind="task",
            object=changed.id,
            occurrence=1,
            changed_ms=changed.changed_ms,
            polled_ms=now_ms,
            event=changed.to_json(),
            lane="dispatch",
        )
        change = MarkChange("task:on failure", changed.id, "", "1:1:1:1", grant)
        assert ledger.matching.commit(0, token, text.partition("\n")[0], [change]) == 1


def read(exporter: Any) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in exporter.collect():
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(found: Any, name: str, **labels: str) -> float:
    (number,) = [v for has, v in found[f"clearml_triggers_{name}"] if labels.items() <= has.items()]
    return float(number)


def test_exporter_tells_what_waits_and_what_happened(exporter: Any, known: Ledger, settings: Settings):
    told = exporter(known.store.client, settings)
    read(told)
    for number in range(4):
        happen(known, number)
    one, two, three = known.firings.claim("dispatch", 3, 5).firings
    known.firings.launched(one, "dispatch", task_id="t" * 32)
    known.firings.give_up(two, "dispatch", "no")
    known.firings.hold(three, "dispatch", "pace:task:on failure", "too many")
    known.store.client.hincrby(shared("api_requests"), "tasks.clone ok", 3)
    known.history.raise_alarm("server clock", "it went back", 5000)
    known.store.client.rpush(broker_prefix() + "match", "a message")
    found = read(told)
    assert value(found, "redis_up") == 1
    assert value(found, "events_total", kind="task", **LABELS) == 4
    assert value(found, "matches_total", trigger="task:on failure") == 4
    for outcome in ("launched", "dead", "held"):
        assert value(found, "firings_total", outcome=outcome) == 1
    assert value(found, "launch_latency_seconds_count", since="change") == 1
    assert 0.4 < value(found, "launch_latency_seconds_sum", since="change") < 60
    assert value(found, "firings_due", lane="dispatch") == 1
    assert 0 < value(found, "stage_oldest_waiting_seconds", stage="dispatch") < 60
    assert value(found, "stage_oldest_waiting_seconds", stage="act") == 0
    assert value(found, "firings_held", reason="pace") == 1
    assert value(found, "dead_letters") == 1
    assert value(found, "queue_messages", queue="match") == 1
    assert value(found, "api_requests_total", endpoint="tasks.clone", result="ok") == 3
    assert value(found, "alarm_since_timestamp_seconds", alarm="server clock") == 5
    assert value(found, "triggers", state="active") == 1
    assert value(found, "beat_leader") == 0
    for name in ("poll_last_success_timestamp_seconds", "cursor_timestamp_seconds"):
        assert abs(value(found, name) - time.time()) < 60
    assert not [labels for rows in found.values() for labels, _ in rows if re.search("[0-9a-f]{32}", str(labels))]
    assert value(read(told), "events_total", kind="task") == 4, "nothing is counted twice"


def test_exporter_says_when_redis_is_away(exporter: Any, settings: Settings):
    client = redis.Redis(port=9, socket_connect_timeout=1, decode_responses=True)
    assert read(exporter(client, settings)) == {"clearml_triggers_redis_up": [({}, 0.0)]}


#: Labels that Prometheus gives to what it scrapes.
SCRAPED = ("instance", "job")


def asked_for() -> dict[str, str]:
    """Every expression of the alert rules and the dashboard, by where it is."""
    rules = yaml.safe_load((compose.ROOT / "deploy/prometheus/alerts.yml").read_text())
    found = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    board = json.loads((compose.ROOT / "deploy/grafana/dashboards/clearml-triggers.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    adapter = yaml.safe_load((compose.ROOT / "deploy/kubernetes/production/prometheus-adapter.yaml").read_text())
    for rule in adapter["rules"]["external"]:
        found[f"adapter {rule['seriesQuery']}"] = rule["seriesQuery"]
    for scaled in yaml.safe_load_all((compose.ROOT / "deploy/kubernetes/keda/scaledobjects.yaml").read_text()):
        for number, trigger in enumerate(scaled["spec"]["triggers"]):
            found[f"KEDA {scaled['metadata']['name']} {number}"] = trigger["metadata"]["query"]
    scaling = (compose.ROOT / "deploy/kubernetes/production/autoscaling.yaml").read_text()
    return found | {f"scaler {name}": name for name in re.findall(r"name: (clearml_triggers_\w+)", scaling)}


def test_alerts_and_dashboard_ask_for_what_is_exported(exporter: Any, known: Ledger, settings: Settings):
    told = exporter(known.store.client, settings.model_copy(update={"api_calls_per_month": 1000}))
    read(told)
    happen(known, 1)
    (firing,) = known.firings.claim("dispatch", 1, 5).firings
    known.firings.launched(firing, "dispatch", task_id="t" * 32)
    known.store.client.hincrby(shared("api_requests"), "tasks.clone ok", 3)
    known.calls.settle({("poll", "tasks.get_all_ex", "ok"): 1}, None)
    known.history.raise_alarm("server clock", "it went back", 5000)
    found = read(told)
    labels = {name: {label for has, _ in rows for label in has} for name, rows in found.items()}
    expressions = asked_for()
    assert len(expressions) > 25
    for where, expression in expressions.items():
        names = re.findall(r"clearml_triggers_\w+", expression)
        assert names, where
        for name in names:
            assert name in found, f"{where} asks for {name}"
        for name, selector in re.findall(r"(clearml_triggers_\w+)\{([^}]*)\}", expression):
            matched = re.findall(r"(\w+)\s*[=!][=~]?", re.sub(r'"[^"]*"', "", selector))
            assert matched, where
            assert set(matched) <= labels[name], where
        for how, listed in re.findall(r"\b(by|on|without|ignoring)\s*\(([^)]*)\)", expression):
            wanted = set(listed.replace(" ", "").split(",")) - set(SCRAPED)
            having = [wanted <= labels[name] for name in names]
            assert all(having) if how == "on" else any(having), where


def test_names_carry_units():
    text = " ".join(path.read_text() for path in (compose.ROOT / "workers").glob("*.py"))
    for name in re.findall(r'"([a-z_]*(?:latency|timestamp)[a-z_]*)"', text):
        assert name.endswith("_seconds"), name
