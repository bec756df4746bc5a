"""The reference of alerts and alarms: `python -m tests.docs.alerts_page > docs/reference/alerts.md`.

Alerts come from `deploy/prometheus/alerts.yml`, alarms from `triggers/ledger/history/alarms.py`, stopped stages from
the table of stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tests.docs.steps import ROOT
from triggers.base.terminal import say_page
from triggers.ledger.history.alarms import ALARMS
from triggers.stages.table import STAGES

_HEAD = """# Alerts and alarms

Written from `deploy/prometheus/alerts.yml`, `triggers/ledger/history/alarms.py` and `triggers/stages/table.py` by
`python -m tests.docs.alerts_page`.

## Alarms

A worker raises an alarm when something needs a person, and clears it when that has ended. `clearml-triggers status` and
`doctor` show raised alarms, the metric `clearml_triggers_alarm_since_timestamp_seconds` has one sample for each, and
[notices](messages.md#notices) report them.

| alarm | what is wrong | cleared when |
|---|---|---|
"""

_STOPPED = """
## Stopped stages

A notice of the kind `stale` reports a stage if nobody has taken its due work for a minute, or if no poll has succeeded
for several paces.

| notice | what waits |
|---|---|
"""

_PROMETHEUS = """
## Prometheus alerts

`deploy/prometheus/alerts.yml` holds these rules; [Metrics](metrics.md) explains the metrics.

| alert | severity | raised after | summary | what to look at |
|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    alarms = (f"| `{one.name}` | {one.what} | {one.ends} |\n" for one in ALARMS)
    return _HEAD + "".join(alarms) + _STOPPED + "".join(_stopped()) + _PROMETHEUS + "".join(_rules())


def _stopped() -> Iterator[str]:
    for stage in STAGES:
        if stage.backlog:
            yield f"| {stage.backlog.stopped} | {stage.backlog.things} |\n"


def _rules() -> Iterator[str]:
    groups: Any = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in (rule for group in groups for rule in group["rules"]):
        said = rule["annotations"]
        cells = [f"`{rule['alert']}`", rule["labels"]["severity"], rule.get("for", "at once")]
        yield f"| {' | '.join([*cells, said['summary'], said['description']])} |\n"


if __name__ == "__main__":
    say_page(page(), end="")
