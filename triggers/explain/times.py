"""Why a time of a schedule did not run, or will: by its calendar and by how far the clock has been looked at. Pure."""

from __future__ import annotations

from triggers.base import escaping
from triggers.explain.checks import moment
from triggers.explain.values import AnswerWord, Facts
from triggers.ledger.registry.timetables import timetable_of
from triggers.model.durations import duration_text
from triggers.model.schedule_fields import AT_ONCE, ONLY_ONCE
from triggers.model.trigger import ScheduleTrigger
from triggers.operate.commands import command
from triggers.rules.schedules.occurrences import Occurrence, Timetable
from triggers.rules.schedules.zones import LAST_MS, local_text, utc_text, zone_of

_Said = tuple[AnswerWord, str, str]


def runs_again(facts: Facts, at_ms: int) -> str:
    """The command that runs a past time."""
    name, options = facts.entry.trigger.name, f"--from {utc_text(at_ms)} --to {utc_text(at_ms)}"
    if name.startswith("-"):
        return f"{command(f'backfill {options}', name)} runs it"
    return f"`{escaping.command('backfill', name)} {options}` runs it"


def judge_time(facts: Facts, schedule: ScheduleTrigger) -> _Said:
    """Judge a time of which no firing is kept."""
    table = timetable_of(facts.entry)
    one = Occurrence.from_id(facts.object_id) or _named(facts.object_id, table)
    if one is None:
        text = f"{facts.object_id} is not a time of a schedule"
        if facts.object_id in (AT_ONCE, ONLY_ONCE):
            text = f"the schedule has no run of that name, {schedule.when}"
        return "no such time", text, "give a time as `history` shows it, such as 2026-11-28T05:15:00Z"
    if facts.mark.occurrence:
        if facts.mark.active or facts.mark.fired_ms:
            return "fired", "it fired; its firing is no longer kept", ""
        return "skipped", "its firing was skipped; it is no longer kept", runs_again(facts, one.at_ms)
    if facts.entry.retired:
        return "does not fire", "the schedule is no longer declared", "declare it again"
    return _missed(facts, schedule, table, one)


def _named(id_: str, table: Timetable) -> Occurrence | None:
    """The run at once, or the only one, of a schedule that has it."""
    schedule, since_ms = table.trigger, table.since_ms
    if id_ == AT_ONCE and schedule.execute_immediately:
        return Occurrence(AT_ONCE, since_ms, since_ms)
    if id_ == ONLY_ONCE and not schedule.recurring:
        return next(iter(table.coming(since_ms, LAST_MS, 1)), None)
    return None


def _missed(facts: Facts, schedule: ScheduleTrigger, table: Timetable, one: Occurrence) -> _Said:
    """Judge a time that was not granted."""
    since_ms, read_to_ms = facts.entry.since_ms, facts.read.cursor.read_to_ms
    if one.at_ms <= since_ms and one.id != AT_ONCE:
        text = f"it was before the schedule was registered {moment(since_ms)}"
        coming = Timetable.of(schedule, one.at_ms - 1).coming(one.at_ms - 1, one.at_ms, 1)
        return "does not fire", text, runs_again(facts, one.at_ms) if coming else ""
    if one.at_ms <= facts.entry.edited_ms and one.id != AT_ONCE:
        text = f"the times of the schedule were changed after that {moment(facts.entry.edited_ms)}"
        return "does not fire", f"{text}, or skipped when it was resumed", runs_again(facts, one.at_ms)
    if one.id != AT_ONCE:
        due = table.coming(one.at_ms - 1, one.at_ms, 1)
        if not due:
            coming = table.coming(max(read_to_ms, since_ms), LAST_MS, 1)
            next_ = local_text(coming[0].at_ms, zone_of(schedule.timezone)) if coming else ""
            text = f"it is not a time of the schedule, {schedule.when}"
            return "does not fire", text, f"its next time is {next_}" if next_ else "it has no further times"
        one = due[0]
    if one.due_ms > read_to_ms:
        held = "; then it is held, since the schedule is paused" if facts.entry.paused else ""
        return (
            "will fire",
            f"its time has not come yet; the clock has been read up to {moment(read_to_ms)[3:]}{held}",
            "",
        )
    if facts.ran_unknown:
        text = "it is no longer known whether it ran: a run that cloned no ClearML task leaves no trace"
        return "does not fire", text, command("fire", schedule.name, one.id) + " runs it by hand"
    window = duration_text(schedule.window_ms)
    text = f"it was missed and not caught up on: catch_up={schedule.catch_up!r}, catch_up_window={window!r}"
    return "does not fire", text, "" if one.id == AT_ONCE else runs_again(facts, one.at_ms)
