"""Dashboard, alerts, and what scales workers, evaluated by Prometheus' own tool over what a real history exports.

Each panel shows something, and each selector anywhere finds something, with the values of labels that it names.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import compose
from tests.deploy.test_metrics import asked_for
from tests.integration.service.conftest import ServiceWorld, server, service_world
from triggers.clearml_api.pauses import Pause
from triggers.context.api_account import ApiAccount
from triggers.stages.dispatch import dispatch

__all__ = ["server", "service_world"]

PROMTOOL = shutil.which("promtool")
BOARD = compose.ROOT / "deploy/grafana/dashboards/clearml-triggers.json"
SELECTOR = re.compile(r"clearml_triggers_\w+(?:\{[^}]*\})?")

pytestmark = pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")


def happen(world: ServiceWorld) -> None:
    """Launches, a held burst and its alarm, a slot, failed attempts, calls, a limit and a pause."""
    world.declare(
        world.trigger(name="paced", policy={"max_per_minute": 1}),
        world.trigger(name="single", policy={"single_instance": True}),
        world.trigger(name="broken", action={"queue": "not there"}),
        world.trigger("model", name="published", trigger_on_publish=True),
    )
    world.poll()
    for _ in range(3):
        world.fail_task()
    world.step()
    world.reconcile()
    world.expire_leases()
    dispatch(world.ctx)
    account = ApiAccount(1000)
    world.api.new_pause = Pause(30.0, 1, "429/0: Too many requests")
    account.settle(world.ledger.calls, world.api, force=True)


@pytest.fixture
def series(service_world: ServiceWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Every series that the exporter gives out, in the notation of the tool: counters began with this history."""
    from triggers.base.settings import settings as cached

    store = service_world.ledger.store
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://127.0.0.1:9/0")  # for imports; the client is given
    cached.cache_clear()
    from workers.exporter import Exporter

    exporter = Exporter(store.client, service_world.settings)
    list(exporter.collect())
    happen(service_world)
    found = {}
    for family in exporter.collect():
        for sample in family.samples:
            labels = {**sample.labels, "instance": "metrics:9808", "job": "clearml-triggers"}
            text = ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items())
            before = sample.value if family.type == "gauge" else 0
            found[f"{sample.name}{{{text}}}"] = f"{before} {sample.value}x9"
    yield found
    cached.cache_clear()


def empty(series: Mapping[str, str], expressions: Mapping[str, str], folder: Path) -> list[str]:
    """Where an expression finds nothing, or nothing that is a number."""
    found = []
    for where, expression in expressions.items():
        numbers = f"(({expression}) >= 0) or (({expression}) < 0)"
        check = {
            "expr": f"count({numbers}) > bool 0",
            "eval_time": "5m",
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        inputs = [{"series": name, "values": values} for name, values in series.items()]
        test = {"interval": "1m", "input_series": inputs, "promql_expr_test": [check]}
        file = folder / "test.yml"
        file.write_text(json.dumps({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}))
        done = subprocess.run([str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True)
        if done.returncode:
            found.append(f"{where}: {expression}\n{done.stdout}{done.stderr}")
    return found


def panels() -> dict[str, str]:
    board = json.loads(BOARD.read_text())
    return {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$scheduler", ".*")
        for panel in board["panels"]
        for target in panel["targets"]
    }


def test_every_panel_shows_something(series: dict[str, str], tmp_path: Path) -> None:
    assert len(panels()) >= 20
    assert empty(series, panels(), tmp_path) == []


def test_every_selector_of_alerts_and_scaling_finds_something(series: dict[str, str], tmp_path: Path) -> None:
    selectors = {
        selector.replace("$scheduler", ".*"): where
        for where, expression in asked_for().items()
        for selector in SELECTOR.findall(expression)
    }
    assert len(selectors) >= 20
    assert empty(series, {where: selector for selector, where in selectors.items()}, tmp_path) == []


def test_the_variable_of_the_dashboard_lists_the_schedulers(series: dict[str, str]) -> None:
    (variable,) = json.loads(BOARD.read_text())["templating"]["list"]
    query: Any = variable["query"]
    text = query["query"] if isinstance(query, dict) else query
    found = re.fullmatch(r"label_values\((\w+), *(\w+)\)", text)
    assert found is not None, text
    name, label = found.groups()
    assert any(one.startswith(f"{name}{{") and f'{label}="P/service task"' in one for one in series)


@pytest.mark.parametrize(
    "doctored",
    [
        "sum(clearml_triggers_firings_dew)",
        'sum(clearml_triggers_firings_due{lane="dispach"})',
        "clearml_triggers_dead_letters * on (scheduler, instance) clearml_triggers_queue_messages",
        "clearml_triggers_dead_letters / clearml_triggers_dead_letters",
    ],
)
def test_what_finds_nothing_is_noticed(series: dict[str, str], tmp_path: Path, doctored: str) -> None:
    assert len(empty(series, {"doctored": doctored}, tmp_path)) == 1


def test_the_rules_are_read_as_they_are_deployed() -> None:
    rules = yaml.safe_load((compose.ROOT / "deploy/prometheus/alerts.yml").read_text())
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    assert set(expressions) <= set(asked_for().values())
