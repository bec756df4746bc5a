"""One short seed of each mode in every run of the suite; `make chaos` runs longer ones, `make chaos-long` twenty.

With all that needs no longer waits: a slow server is left to `make chaos-long`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.plan import Extra, Mode, make_plan
from tests.chaos.run import Run

SEED, SECONDS = 9, 15.0
EXTRAS: tuple[Extra, ...] = ("late", "operator", "promote", "own")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["fleet", "local"])
def test_what_is_promised_holds_while_everything_is_disturbed(mode: Mode, tmp_path: Path) -> None:
    run = Run(make_plan(SEED, SECONDS, mode, extras=EXTRAS), tmp_path / "run")
    try:
        report = run.go()
        told = "\n".join(report.lines())
        print(told)
        assert not report.violations, f"{told}\n{run.system.log()}"
    finally:
        run.close()
