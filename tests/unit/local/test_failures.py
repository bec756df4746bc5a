"""A child is broken when it fails in the same way again and again, and not when others end it."""

from __future__ import annotations

import signal

import pytest

from triggers.local.failures import HEALTHY_SECONDS, LIMIT, Failures


def test_identical_failures_count() -> None:
    failures = Failures()
    said = [failures.is_broken(1, f"12:00:0{n} ModuleNotFoundError: No module named 'x'", 1.0) for n in range(LIMIT)]
    assert said == [False] * (LIMIT - 1) + [True]


def test_another_failure_begins_anew() -> None:
    failures = Failures()
    assert not any(failures.is_broken(1, ("this", "that")[n % 2], 1.0) for n in range(4 * LIMIT))
    assert not any(failures.is_broken(1 + n % 2, "this", 1.0) for n in range(4 * LIMIT))


@pytest.mark.parametrize("code", [0, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT])
def test_ends_from_outside_do_not_count(code: int) -> None:
    failures = Failures()
    assert not any(failures.is_broken(code, "", 0.1) for _ in range(4 * LIMIT))


def test_a_crash_of_the_interpreter_counts() -> None:
    failures = Failures()
    assert [failures.is_broken(-signal.SIGSEGV, "", 0.1) for _ in range(LIMIT)][-1]


def test_a_child_that_lived_is_not_broken_at_its_start() -> None:
    failures = Failures()
    assert not any(failures.is_broken(70, "the same", HEALTHY_SECONDS) for _ in range(4 * LIMIT))
