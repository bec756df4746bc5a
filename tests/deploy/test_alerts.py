"""Alerts, evaluated by Prometheus' own tool: when they fire, and when they must not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy import compose

RULES = compose.ROOT / "deploy" / "prometheus" / "alerts.yml"
PREFIX = "clearml_triggers"
PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
@pytest.mark.parametrize(
    ("case", "polled", "pace", "active", "fires"),
    [
        ("polled once, long ago", "0x40", 5, 1, True),
        ("never polled", None, 5, 1, True),
        ("polled all the time", "0+60x40", 5, 1, False),
        ("long pace, not due yet", "0x40", 3600, 1, False),
        ("long pace, overdue", "0x40", 600, 1, True),
        ("nothing is active any more", "0x40", 5, 0, False),
        ("nothing was ever active", None, 5, 0, False),
    ],
)
def test_stale_polls_are_reported_by_pace_and_active_triggers(
    tmp_path: Path, case: str, polled: str | None, pace: int, active: int, fires: bool
) -> None:
    del case  # for people
    label = 'scheduler="p/n"'
    series = {
        f"{PREFIX}_poll_pace_seconds{{{label}}}": f"{pace}x40",
        f'{PREFIX}_triggers{{{label},state="active"}}': f"{active}x40",
    }
    if polled:
        series[f"{PREFIX}_poll_last_success_timestamp_seconds{{{label}}}"] = polled
    assert_fires(tmp_path, series, "TriggersPollStale", fires, {"scheduler": "p/n"})


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
@pytest.mark.parametrize(
    ("made", "projected", "limit", "fires"),
    [
        (10, 1000, None, set()),
        (10, 1000, 1000, set()),
        (10, 1001, 1000, {"TriggersApiBudget"}),
        (999, 1000, 1000, set()),
        (1000, 1000, 1000, {"TriggersApiCallsUsedUp"}),
        (1200, 1300, 1000, {"TriggersApiBudget", "TriggersApiCallsUsedUp"}),
    ],
)
def test_a_budget_is_reported_before_and_when_it_is_used_up(
    tmp_path: Path, made: int, projected: int, limit: int | None, fires: set[str]
) -> None:
    """Made by two causes, on one exporter; another one without a limit is never reported."""
    label = 'instance="a:1",job="triggers"'
    series = {
        f'{PREFIX}_api_calls_month{{{label},cause="poll",endpoint="tasks.get_all_ex"}}': f"{made - 1}x60",
        f'{PREFIX}_api_calls_month{{{label},cause="launch",endpoint="tasks.clone"}}': "1x60",
        f"{PREFIX}_api_calls_projected{{{label}}}": f"{projected}x60",
        f'{PREFIX}_api_calls_projected{{instance="b:1",job="triggers"}}': "999999x60",
    }
    if limit is not None:
        series[f"{PREFIX}_api_calls_limit{{{label}}}"] = f"{limit}x60"
    for alert in ("TriggersApiBudget", "TriggersApiCallsUsedUp"):
        assert_fires(tmp_path, series, alert, alert in fires, {"instance": "a:1"})


def assert_fires(
    folder: Path, series: dict[str, str], alert: str, fires: bool, about: dict[str, str], at: str = "35m"
) -> None:
    """Let Prometheus' tool evaluate the rules: the alert fires once, or not at all."""
    labels = ",".join(f'{name}="{value}"' for name, value in about.items())
    query = f'count(ALERTS{{alertname="{alert}",alertstate="firing",{labels}}})'
    expected = [{"labels": "{}", "value": 1}] if fires else []
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": at, "exp_samples": expected}],
    }
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run([str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
