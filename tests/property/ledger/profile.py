"""How long the state machines run: quick and always the same by default, long by environment variable."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

#: TRIGGERS_TEST_FACTOR=50: so many times as many examples, others every time.
FACTOR = int(os.environ.get("TRIGGERS_TEST_FACTOR", "1"))


def profile(examples: int, *, steps: int = 50) -> settings:
    """Settings of one test."""
    return settings(
        max_examples=examples * FACTOR,
        stateful_step_count=steps,
        derandomize=FACTOR == 1,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=[Phase.generate] if os.environ.get("TRIGGERS_TEST_NO_SHRINK") else list(Phase),
        report_multiple_bugs=False,
    )
