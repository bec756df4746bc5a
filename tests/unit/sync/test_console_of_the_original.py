"""The console of the original's `TaskScheduler`: what it launched after the state that was saved last."""

from __future__ import annotations

import pytest

from triggers.model.schedule_fields import AT_ONCE, ONLY_ONCE
from triggers.sync.originals import Left, with_launches

TASK, OTHER = "4f2ad0c1e5b94a6d8a5a0f0f5b0c7d11", "6a3be1d2f6ca4b7e9b6b1a1a6c1d8e22"


def launched(ms: int, *tasks: str) -> Left:
    return Left(ms, {AT_ONCE: ms, ONLY_ONCE: ms}, tasks)


@pytest.mark.parametrize(
    ("line", "tasks"),
    [
        (f"Scheduling Job nightly, Task {TASK} on queue default.", (TASK,)),
        ("Scheduling Job 'nightly', Task '<function f at 0x7f>' on background thread", ()),
        (f"Skipping Task nightly scheduling, previous Task instance {TASK} still running", ()),
        ("Skipping Task nightly scheduling, queue 'gone' was not found or is inaccessible.", ()),
        ("Skipping Task 'nightly' scheduling, previous Thread instance '1' still running", ()),
    ],
)
def test_each_line_about_a_launch_counts(line: str, tasks: tuple[str, ...]) -> None:
    assert with_launches({}, ["nightly"], [(5000, line)]) == {"schedule:nightly": launched(5000, *tasks)}


@pytest.mark.parametrize(
    "line",
    [
        f"Launching job: ScheduleJob(name='nightly', base_task_id='{TASK}')",
        "Scheduling Job nightly 2, Task x on queue default.",
        "Waiting for next run [UTC 2026-11-27 22:30:00+00:00], sleeping for 15.00 minutes, until next sync.",
        "",
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert with_launches({}, ["nightly"], [(5000, line)]) == {}


def test_what_the_state_says_stays_and_what_came_later_is_added() -> None:
    console = [
        (9000, f"Scheduling Job a, Task {OTHER} on queue default."),
        (4999, f"Scheduling Job a, Task {TASK} on queue default."),
        (4999, f"Scheduling Job b, Task {TASK} on queue default."),
    ]
    state = {"schedule:a": launched(5000, TASK), "schedule:b": launched(5000), "task:a": Left(1, {}, ())}
    assert with_launches(state, ["a", "b"], console) == {**state, "schedule:a": launched(9000, TASK, OTHER)}


def test_of_names_that_begin_alike_the_longest_is_meant() -> None:
    line = f"Scheduling Job a, Task b, Task {TASK} on queue default."
    assert with_launches({}, ["a", "a, Task b"], [(1, line)]) == {"schedule:a, Task b": launched(1, TASK)}


def test_one_that_had_not_run_when_the_state_was_saved_counts_from_its_launch() -> None:
    line = f"Scheduling Job once, Task {TASK} on queue default."
    assert with_launches({"schedule:once": Left(7000, {}, ())}, ["once"], [(8000, line)]) == {
        "schedule:once": launched(8000, TASK)
    }
