"""The arguments of a schedule: what is accepted, what it becomes, and the error that says what to give instead."""

from __future__ import annotations

import inspect
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import clearml.automation
import pytest

from triggers import TaskScheduler, TriggerScheduler, testing  # noqa: F401 - no server is asked
from triggers.base.errors import InvalidTrigger
from triggers.model import Trigger, make_trigger
from triggers.model.durations import duration_ms, duration_text
from triggers.model.original import from_original, to_original

TASK: dict[str, Any] = {"type": "task", "base_task_id": "base", "queue": "q"}


def schedule(**fields: Any) -> Trigger:
    return make_trigger("schedule", name="n", action=TASK, **fields)


@pytest.mark.parametrize(
    ("given", "ms", "text"),
    [
        ("90m", 5_400_000, "1h30m"),
        ("5s", 5_000, "5s"),
        ("1h30m", 5_400_000, "1h30m"),
        ("1w 2d", 777_600_000, "9d"),
        ("0.5h", 1_800_000, "30m"),
        (timedelta(minutes=90), 5_400_000, "1h30m"),
    ],
)
def test_durations(given: str | timedelta, ms: int, text: str) -> None:
    assert duration_ms(given) == ms
    assert duration_text(ms) == text


@pytest.mark.parametrize("wrong", ["90", 90, "", "m", "-5m", "5 minutes", "1h30", None])
def test_what_is_no_duration(wrong: Any) -> None:
    with pytest.raises(ValueError, match="90m"):
        duration_ms(wrong)


@pytest.mark.parametrize(
    ("fields", "argument", "way_out"),
    [
        ({}, "cron", "give a time"),
        ({"weekdays": ["monday"]}, "weekdays", "give a time"),
        ({"cron": "61 * * * *"}, "cron", "Bad minute"),
        ({"cron": "0 0 31 2 *"}, "cron", "Bad day-of-month"),
        ({"cron": "* * *"}, "cron", "five fields"),
        ({"cron": 5}, "cron", "five fields"),
        ({"every": 90}, "every", "90m"),
        ({"every": "0s"}, "every", "1s or more"),
        ({"at": "tomorrow"}, "at", "ISO 8601"),
        ({"at": "2026-12-24", "until": "2026-12-25"}, "until", "one moment"),
        ({"cron": "0 * * * *", "every": "5m"}, "cron", "cannot be combined with every"),
        ({"every": "5m", "hour": 1}, "every", "cannot be combined with hour"),
        ({"hour": 1, "timezone": "Europe/Berlim"}, "timezone", "did you mean 'Europe/Berlin'"),
        ({"hour": 1, "jitter_seconds": -1}, "jitter_seconds", "0 to 86,400"),
        ({"hour": 1, "exclude": ["soon"]}, "exclude", "'soon' is not a date"),
        ({"hour": 1, "catch_up": "some"}, "catch_up", "'last', 'all', 'none'"),
        ({"hour": 1, "catch_up_window": 5}, "catch_up_window", "90m"),
        ({"hour": 1.5}, "hour", "whole number"),
        ({"hour": -1}, "hour", "whole number"),
        ({"hour": 24, "day": 1}, "hour", "0 to 23"),
        ({"hour": 1, "minute": 60}, "minute", "0 to 59"),
        ({"month": 1, "day": 32}, "day", "1 to 31"),
        ({"year": 2027, "month": 13}, "month", "1 to 12"),
        ({"year": 2027, "month": 2, "day": 30}, "day", "no such date"),
        ({"year": 1000}, "year", "after 2000"),
        ({"weekdays": ["mon"], "hour": 1}, "weekdays", "'mon' is not a day of the week"),
        ({"weekdays": ["monday"], "day": 2}, "day", "day=0 or day=1"),
        ({"hour": 1, "trigger_project": "P"}, "trigger_project", "no meaning for a schedule"),
        ({"hour": 1, "policy": {"fire": "while_true"}}, "fire", "no meaning for a schedule"),
    ],
)
def test_an_error_names_schedule_and_argument_and_says_what_to_give(
    fields: dict[str, Any], argument: str, way_out: str
) -> None:
    with pytest.raises(InvalidTrigger) as caught:
        schedule(**fields)
    assert (caught.value.trigger, caught.value.argument) == ("n", argument)
    assert way_out in str(caught.value)


@pytest.mark.parametrize(
    "policy",
    [
        {"limit_execution_time": 0}, {"limit_execution_time": "1"}, {"pause_on_failures": 0},
        {"pause_on_failures": 1.5},
        {"overlap": "all", "single_instance": True}, {"overlap": "cancel_previous"},
    ],
)  # fmt: skip
def test_limits_of_the_policy(policy: dict[str, Any]) -> None:
    with pytest.raises(InvalidTrigger):
        schedule(hour=1, policy=policy)


def test_moments_keep_their_offset_or_are_local() -> None:
    berlin = timezone(timedelta(hours=1))
    assert schedule(at=datetime(2026, 12, 24, 18, tzinfo=berlin)).at == "2026-12-24T18:00:00+01:00"  # type: ignore[attr-defined]
    assert schedule(at="2026-12-24T18:00").at == "2026-12-24T18:00:00"  # type: ignore[attr-defined]
    assert schedule(at="2026-12-24T17:00:00Z").at == "2026-12-24T17:00:00+00:00"  # type: ignore[attr-defined]
    assert schedule(hour=1, until=date(2026, 12, 24)).until == "2026-12-24T00:00:00"  # type: ignore[attr-defined]


def test_items_of_the_original_are_read_as_they_are_written() -> None:
    item = {
        "name": "n", "base_task_id": "base", "queue": "q", "target_project": None, "single_instance": True,
        "task_parameters": {"Args/a": "1"}, "task_overrides": None, "clone_task": True, "execution_limit_hours": 1.5,
        "recurring": False, "starting_time": "1970-01-01T00:00:00+00:00", "minute": 30, "hour": 22, "day": 1,
        "weekdays": None, "month": None, "year": None,
    }  # fmt: skip
    found = from_original("schedule", item)
    assert found == schedule(
        minute=30, hour=22, day=1, recurring=False, execute_immediately=True,
        policy={"single_instance": True, "limit_execution_time": 1.5},
    ).model_copy(update={"action": found.action})  # fmt: skip
    assert {name: to_original(found)[name] for name in item} == item
    later = from_original("schedule", {**item, "starting_time": "2026-01-01T00:00:00+00:00", "recurring": None})
    assert (later.recurring, later.execute_immediately) == (True, False)  # type: ignore[attr-defined]


@pytest.fixture
def scheduler() -> TaskScheduler:
    return TaskScheduler()


def test_add_task_takes_the_originals_arguments_in_their_order(scheduler: TaskScheduler) -> None:
    given = (
        "base",
        None,
        "q",
        "nightly",
        "P",
        30,
        22,
        1,
        None,
        None,
        None,
        2.0,
        True,
        True,
        False,
        False,
        {"a": 1},
        None,
    )
    assert scheduler.add_task(*given) is True
    (job,) = scheduler.get_scheduled_tasks()
    shown = (job.name, job.base_task_id, job.queue, job.minute, job.hour, job.day, job.execution_limit_hours)
    assert shown == ("nightly", "base", "q", 30, 22, 1, 2.0)
    job.verify()
    assert scheduler.get_triggers() == []


def test_tasks_are_removed_by_id_and_by_function(scheduler: TaskScheduler) -> None:
    def function() -> None:
        """Do nothing."""

    scheduler.add_task("base", queue="q", hour=1)
    scheduler.add_task(schedule_function=function, name="f", hour=1)
    assert scheduler.remove_task("other") is False
    assert scheduler.remove_task("base") is True
    assert [job.name for job in scheduler.get_scheduled_tasks()] == ["f"]
    assert scheduler.remove_task(function) is True
    assert scheduler.get_scheduled_tasks() == []


def test_a_trigger_scheduler_has_schedules_beside_its_triggers() -> None:
    both = TriggerScheduler()
    both.add_schedule("base", schedule_queue="q", cron="0 6 * * *")
    both.add_task_trigger(schedule_task_id="base", schedule_queue="q")
    assert [one.trigger.id for one in both.declarations] == ["task:base", "schedule:base"]


def test_functions_take_nothing_or_the_time(scheduler: TaskScheduler) -> None:
    scheduler.add_task(schedule_function=lambda: None, name="a", hour=1)
    scheduler.add_task(schedule_function=lambda at: None, name="b", hour=1)
    scheduler.add_task(schedule_function=lambda firing: None, name="c", hour=1)
    with pytest.raises(InvalidTrigger, match="one argument at most"):
        scheduler.add_task(schedule_function=lambda a, b: None, name="d", hour=1)


def test_placeholders_of_schedules(scheduler: TaskScheduler) -> None:
    scheduler.add_task("base", queue="q", hour=1, task_parameters={"Args/at": "${schedule.at}"})
    with pytest.raises(InvalidTrigger, match=r"\$\{schedule.at\} and \$\{schedule.id\} only"):
        scheduler.add_task("base", queue="q", name="b", hour=1, task_parameters={"Args/at": "${task.id}"})


def test_a_file_of_holidays_is_excluded(scheduler: TaskScheduler, tmp_path: Path) -> None:
    year = date.today().year
    file = tmp_path / "days.ics"
    file.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        f"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{year}1224\r\nDTEND;VALUE=DATE:{year}1227\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n"
        f"BEGIN:VEVENT\r\nUID:3\r\nDTSTART:{year}0301T120000Z\r\nDTEND:{year}0301T180000Z\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    )
    scheduler.add_task("base", queue="q", hour=1, exclude=file)
    (made,) = scheduler.declarations
    found = made.trigger.exclude  # type: ignore[attr-defined]
    assert {f"{year}-12-24", f"{year}-12-25", f"{year}-12-26", f"{year + 1}-01-01"} <= set(found)
    assert f"{year}-12-27" not in found
    assert f"{year}-03-01T12:00:00+00:00/{year}-03-01T18:00:00+00:00" in found
    for wrong in ("missing.ics", "days.txt"):
        with pytest.raises(InvalidTrigger, match="exclude"):
            scheduler.add_task("base", queue="q", name=wrong, hour=1, exclude=str(tmp_path / wrong))


def test_a_limit_needs_something_that_can_be_aborted() -> None:
    """The original takes it and ignores it: a thread cannot be ended."""
    scheduler = TaskScheduler()
    with pytest.raises(InvalidTrigger, match=r"schedule 's': limit_execution_time=1\.5: nothing is launched"):
        scheduler.add_task(name="s", schedule_function=print, minute=5, limit_execution_time=1.5)
    scheduler.add_task(name="s", schedule_function=print, minute=5, pause_on_failures=3)


@pytest.mark.parametrize(
    "call", ["__init__", "add_task", "get_scheduled_tasks", "remove_task", "start", "start_remotely"]
)
def test_calls_take_the_originals_arguments_by_position(call: str) -> None:
    theirs = inspect.signature(getattr(clearml.automation.TaskScheduler, call)).parameters
    ours = inspect.signature(getattr(TaskScheduler, call)).parameters
    positional = [name for name, one in ours.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert positional == list(theirs)
    wanted = {name: one.default for name, one in theirs.items()}
    assert {name: ours[name].default for name in wanted} == wanted
