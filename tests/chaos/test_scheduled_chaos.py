"""A short seed with a schedule beside the triggers; `python -m tests.chaos.schedules` runs longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.plan import make_plan
from tests.chaos.schedules import ScheduledRun


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_time_is_launched_once_while_everything_is_disturbed(tmp_path: Path) -> None:
    run = ScheduledRun(make_plan(2, 15.0, "fleet"), tmp_path / "run")
    try:
        report = run.go()
        assert not report.violations, "\n".join([*report.lines(), run.system.log()])
        assert run.times > 2
    finally:
        run.close()
