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
    label = 'scheduler="p/n"'
    series = {
        f"{PREFIX}_poll_pace_seconds{{{label}}}": f"{pace}x40",
        f'{PREFIX}_triggers{{{label},state="active"}}': f"{active}x40",
    }
    if polled:
        series[f"{PREFIX}_poll_last_success_timestamp_seconds{{{label}}}"] = polled
    query = 'count(ALERTS{alertname="TriggersPollStale",alertstate="firing",scheduler="p/n"})'
    expected = [{"labels": "{}", "value": 1}] if fires else []
    test = {
        "interval": "1m",
        "name": case,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": "30m", "exp_samples": expected}],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run([PROMTOOL, "test", "rules", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
