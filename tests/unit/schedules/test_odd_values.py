"""Odd values of the arguments of a schedule: what they mean, or what the error says to give instead."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from triggers.base.errors import InvalidTrigger
from triggers.client import excluded_days
from triggers.client.checks import over, too_often
from triggers.client.excluded_days import excluded
from triggers.model import make_trigger
from triggers.model.trigger import ScheduleTrigger
from triggers.rules.schedules import calendar_for
from triggers.rules.schedules.occurrences import Timetable
from triggers.rules.schedules.zones import local_text, to_ms, zone_of

TASK: dict[str, Any] = {"type": "task", "base_task_id": "base", "queue": "q"}
START = to_ms(datetime(2026, 3, 28, tzinfo=UTC))
HOUR = 3_600_000


def schedule(**fields: Any) -> ScheduleTrigger:
    made = make_trigger("schedule", name="n", action=TASK, **fields)
    assert isinstance(made, ScheduleTrigger)
    return made


def times(count: int, **fields: Any) -> list[str]:
    made = schedule(**fields)
    found = islice(calendar_for(made, START).between(START, START + 40 * 366 * 24 * HOUR), count)
    return [local_text(ms, zone_of(made.timezone))[:16] for ms in found]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("@daily", ["2026-03-29T00:00", "2026-03-30T00:00"]),
        ("@Weekly", ["2026-03-29T00:00", "2026-04-05T00:00"]),
        ("@yearly", ["2027-01-01T00:00", "2028-01-01T00:00"]),
        ("0 0 L * *", ["2026-03-31T00:00", "2026-04-30T00:00"]),
        ("0 0 LW 5 *", ["2026-05-29T00:00", "2027-05-31T00:00"]),
        ("0 0 * * 5L", ["2026-04-24T00:00", "2026-05-29T00:00"]),
        ("0 0 * * MON#2", ["2026-04-13T00:00", "2026-05-11T00:00"]),
        ("0 0 * * 0,7", ["2026-03-29T00:00", "2026-04-05T00:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 0 1,15 * fri", ["2026-04-01T00:00", "2026-04-03T00:00"]),
        ("0 9 1-7 * */7", ["2026-04-05T09:00", "2026-05-03T09:00"]),
        ("0 12 * jan-mar/2 *", ["2026-03-28T12:00", "2026-03-29T12:00"]),
        ("  5   4\t* * *  ", ["2026-03-28T04:05", "2026-03-29T04:05"]),
    ],
)
def test_cron(cron: str, expected: list[str]) -> None:
    assert times(2, cron=cron) == expected


@pytest.mark.parametrize(
    ("fields", "argument", "way_out"),
    [
        ({"cron": "@reboot"}, "cron", "@hourly, @daily"),
        ({"cron": "@dayly"}, "cron", "did you mean '@daily'"),
        ({"cron": "0 0 30 2 *"}, "cron", "a day that the month has"),
        ({"cron": "0 0 31 4,6 *"}, "cron", "a day that the month has"),
        ({"cron": "0 24 * * *"}, "cron", "give 0 to 23"),
        ({"cron": "*/0 * * * *"}, "cron", "give 0 to 59"),
        ({"cron": "0 0 * * fri-mon"}, "cron", "ranges that go upwards"),
        ({"cron": "0 0 * * mon#6"}, "cron", "mon#2"),
        ({"cron": "0 0 * 13 *"}, "cron", "jan to dec"),
        ({"cron": "70 * * * * *"}, "cron", "steps such as */10"),
        ({"cron": "* * * * * * *"}, "cron", "five fields"),
        ({"every": "-5m"}, "every", "90m"),
        ({"every": "1 month"}, "every", "units w, d, h, m, s"),
        ({"every": "999ms"}, "every", "1s or more"),
        ({"every": timedelta(days=40_000)}, "every", "at most 100 years"),
        ({"at": 1774751400}, "at", "ISO 8601"),
        ({"at": "2026-02-30"}, "at", "ISO 8601"),
        ({"at": "9999-12-31"}, "at", "1971 to 9989"),
        ({"hour": 1, "timezone": "+01:00"}, "timezone", "'Etc/GMT-1'"),
        ({"hour": 1, "timezone": "UTC-5"}, "timezone", "'Etc/GMT+5'"),
        ({"hour": 1, "timezone": timezone(timedelta(hours=2))}, "timezone", "'Etc/GMT-2'"),
        ({"hour": 1, "timezone": "europe/berlin"}, "timezone", "did you mean 'Europe/Berlin'"),
        ({"hour": 1, "timezone": "Berlin"}, "timezone", "did you mean 'Europe/Berlin'"),
        ({"hour": 1, "timezone": "localtime"}, "timezone", "IANA database"),
        ({"hour": 1, "timezone": "Factory"}, "timezone", "IANA database"),
        ({"hour": 1, "timezone": "../Europe/Berlin"}, "timezone", "IANA database"),
        ({"hour": 1, "jitter_seconds": "soon"}, "jitter_seconds", "or a number of seconds"),
        ({"hour": 1, "jitter_seconds": float("nan")}, "jitter_seconds", "0 to 86,400"),
        ({"hour": 1, "exclude": ["2027-01-02/2026-12-24"]}, "exclude", "spans such as"),
        ({"hour": 1, "exclude": ["2026-12-24/"]}, "exclude", "spans such as"),
        ({"hour": 1, "exclude": [datetime(2026, 12, 24)]}, "exclude", "is not a date"),
        ({"hour": 1, "exclude": "2026-12-24"}, "exclude", "give a list of dates"),
        ({"weekdays": ["monday"], "minute": 1440}, "minute", "less than a day"),
        ({"year": 2027, "month": 4, "day": 31}, "day", "2027-04 ends with day 30"),
        ({"year": 10_000}, "year", "up to 9988"),
    ],
)
def test_an_error_says_what_the_field_takes(fields: dict[str, Any], argument: str, way_out: str) -> None:
    with pytest.raises(InvalidTrigger) as caught:
        schedule(**fields)
    assert (caught.value.trigger, caught.value.argument) == ("n", argument)
    assert way_out in str(caught.value)


def test_until_and_spans_have_the_ends_that_the_text_says() -> None:
    assert times(9, day=1, hour=9, until="2026-03-29T09:00") == ["2026-03-28T09:00", "2026-03-29T09:00"]
    assert times(9, day=1, hour=9, until=date(2026, 3, 29)) == ["2026-03-28T09:00"]
    both_dates = times(3, day=1, hour=9, exclude=["2026-03-28/2026-03-30"])
    assert both_dates == ["2026-03-31T09:00", "2026-04-01T09:00", "2026-04-02T09:00"]
    moments = times(2, hour=1, exclude=["2026-03-28T02:00/2026-03-28T05:00"])
    assert moments == ["2026-03-28T01:00", "2026-03-28T05:00"]


def test_spans_that_touch_hold_one_another_or_come_in_any_order_are_left_out() -> None:
    spans = ["T05:00/T06:00", "T01:00/T04:00", "T02:00/T03:00", "T06:00/T07:30", "T09:00/T09:00", "T22:00/T23:59"]
    given = [span.replace("T", "2026-03-28T") for span in spans]
    by_hand = [hour for hour in range(1, 24) if hour not in (1, 2, 3, 5, 6, 7, 22, 23)]
    for order in (given, given[::-1]):
        assert times(len(by_hand), hour=1, exclude=order) == [f"2026-03-28T{hour:02}:00" for hour in by_hand]
        assert times(1, hour=1, until="2026-03-28T23:59", exclude=[*order, "2026-03-28"]) == []


def test_a_calendar_of_thousands_of_events_is_read_once() -> None:
    spans = [f"{2026 + n // 3000}-04-01T00:00+00:{n % 60:02}/2099-01-01" for n in range(5000)]
    made = schedule(cron="* * * * *", exclude=spans)
    calendars = [calendar_for(made, START + n) for n in range(3)]
    assert all(one.spans is calendars[0].spans for one in calendars)  # type: ignore[attr-defined]
    assert len(calendars[0].spans) == 1  # type: ignore[attr-defined]


def test_a_span_is_read_again_as_it_was_written() -> None:
    made = schedule(hour=1, exclude=["2026-12-24/2027-01-02", "2026-12-24T12:00Z/2026-12-24T12:00Z"])
    assert schedule(hour=1, exclude=list(made.exclude)).exclude == made.exclude
    assert type(made).from_json(made.to_json()) == made


@pytest.mark.parametrize("given", ["90s", timedelta(seconds=90), 90, 90.0])
def test_jitter_is_a_duration(given: Any) -> None:
    assert schedule(hour=1, jitter_seconds=given).jitter_ms == 90_000


def test_jitter_never_reaches_the_next_time_and_is_the_same_for_everybody() -> None:
    made = schedule(every="10m", jitter_seconds=86_400)
    found = Timetable.of(made, START).coming(START, START + 100 * HOUR, 600)
    delays = [one.due_ms - one.at_ms for one in found]
    assert all(0 <= delay < 600_000 for delay in delays)
    assert len(set(delays)) > 500, "spread over all of it"
    assert found == Timetable.of(made, START).coming(START, START + 100 * HOUR, 600)
    table = Timetable.of(made, START)
    assert [one.due_ms for one in table.occurrences(START, found[-1].due_ms)] == [one.due_ms for one in found]
    assert table.next_due_ms(found[3].due_ms) == found[4].due_ms


def test_more_missed_times_than_one_look_grants_are_all_granted_with_jitter() -> None:
    made = schedule(every="10s", jitter_seconds=3_600, catch_up="all")
    table, after, now, found = Timetable.of(made, START), START, START + 20 * HOUR, []
    while after < now:
        due = table.due(after, now)
        found += [one.at_ms for one in due.occurrences]
        assert due.to_ms > after
        after = due.to_ms
    assert found == [*range(START + 10_000, found[-1] + 1, 10_000)]
    assert found[-1] > now - 20_000


def test_schedules_whose_times_are_over_are_reported() -> None:
    now_ms = to_ms(datetime(2026, 11, 27, tzinfo=UTC))
    ended = [{"at": "2020-01-01"}, {"hour": 1, "until": "2020-01-01"}, {"year": 2020, "month": 1}]
    lines = over([schedule(**fields) for fields in ended], now_ms)
    assert len(lines) == 3
    assert "schedule 'n' has no time to come (at='2020-01-01T00:00:00')" in lines[0]
    assert over([schedule(at="2020-01-01", execute_immediately=True), schedule(cron="0 0 29 2 *")], now_ms) == []


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("*/90 * * * *", ["a step of 90 in the field 'minute' of cron='*/90 * * * *'", "give every='90m'"]),
        ("0 */36 * * *", ["a step of 36 in the field 'hour'", "give every='36h'"]),
        ("*/90 * * * * *", ["a step of 90 in the field 'second'", "give every='90s'"]),
        ("0 0 1 */18 *", ["a step of 18 in the field 'month'", "only the first one counts"]),
        ("*/60 */24 */31 */12 */7", []),
        ("5,*/15 9-17/2 * * mon-fri", []),
    ],
)
def test_a_step_that_is_longer_than_its_field_is_reported(cron: str, told: list[str]) -> None:
    """It is legal cron: `*/90` minutes run at each full hour."""
    lines = too_often([schedule(cron=cron)])
    assert len(lines) == bool(told)
    assert all(text in lines[0] for text in told)


@pytest.mark.parametrize("span", ["2027-01-02/2026-12-24", "2026-12-24T18:00/2026-12-24T09:00"])
def test_a_span_that_ends_before_it_begins_says_so(span: str) -> None:
    with pytest.raises(InvalidTrigger, match="ends before it begins; give spans such as") as caught:
        schedule(cron="* * * * *", exclude=[span])
    assert caught.value.argument == "exclude"


EVENT = "BEGIN:VEVENT\r\nUID:{}\r\n{}\r\nEND:VEVENT\r\n"


def calendar_file(folder: Path, *events: str) -> Path:
    file = folder / "days.ics"
    body = "".join(EVENT.format(number, event.replace("\n", "\r\n")) for number, event in enumerate(events))
    file.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n")
    return file


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART;VALUE=DATE:20261224", ["2026-12-24"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261226", ["2026-12-24", "2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P2D", ["2026-12-24", "2026-12-25"]),
        (
            "DTSTART;TZID=Europe/Berlin:20261224T120000\nDTEND;TZID=Europe/Berlin:20261224T130000",
            ["2026-12-24T12:00:00+01:00/2026-12-24T13:00:00+01:00"],
        ),
        ("DTSTART:20261224T120000\nDURATION:PT1H", ["2026-12-24T12:00:00/2026-12-24T13:00:00"]),
        ("DTSTART:20261224T120000Z", ["2026-12-24T12:00:00+00:00/2026-12-24T12:00:01+00:00"]),
        (
            "DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;VALUE=DATE:20261225",
            ["2026-12-24", "2026-12-26", "2026-12-27"],
        ),
        ("DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:19991224", []),
    ],
)
def test_events_of_a_calendar(tmp_path: Path, event: str, expected: list[str]) -> None:
    found = excluded("n", calendar_file(tmp_path, event), date(2026, 11, 27))
    assert found == expected
    assert schedule(hour=1, exclude=found)


def test_events_of_a_week_without_an_end_are_written_out_for_years(tmp_path: Path) -> None:
    found = excluded("n", calendar_file(tmp_path, "DTSTART;VALUE=DATE:20200106\nRRULE:FREQ=WEEKLY"), date(2026, 11, 27))
    assert found[0] >= "2025-01-01"
    assert found[-1] >= "2031-12-01"
    days = [date.fromisoformat(text) for text in found]
    assert {two - one for one, two in pairwise(days)} == {timedelta(days=7)}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cannot be read as iCalendar"),
        (b"\xff\xfe\x00garbage", "cannot be read as iCalendar"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "cannot be read as iCalendar"),
        (b"<html></html>", "cannot be read as iCalendar"),
    ],
)
def test_a_file_that_is_no_calendar(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "days.ics"
    file.write_bytes(content)
    with pytest.raises(InvalidTrigger, match=says) as caught:
        excluded("n", str(file), date(2026, 11, 27))
    assert (caught.value.trigger, caught.value.argument) == ("n", "exclude")


def test_files_that_are_missing_or_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    today = date(2026, 11, 27)
    with pytest.raises(InvalidTrigger, match=r"no such file \(the current folder is .*\): commit it with the script"):
        excluded("n", "missing.ics", today)
    (tmp_path / "folder.ics").mkdir()
    with pytest.raises(InvalidTrigger, match="cannot be read"):
        excluded("n", tmp_path / "folder.ics", today)
    with pytest.raises(InvalidTrigger, match="recurs every minute or second"):
        excluded("n", calendar_file(tmp_path, "DTSTART:20261224T120000Z\nRRULE:FREQ=SECONDLY"), today)
    with pytest.raises(InvalidTrigger, match="more than 5,000 days and spans"):
        excluded("n", calendar_file(tmp_path, "DTSTART:20250101T120000Z\nRRULE:FREQ=HOURLY"), today)
    monkeypatch.setattr(excluded_days, "LARGEST", 50)
    with pytest.raises(InvalidTrigger, match="larger than 50 bytes"):
        excluded("n", calendar_file(tmp_path, "DTSTART;VALUE=DATE:20261224"), today)
