"""Why a time of a schedule did not run, or will: by its calendar and by how far the clock has been looked at. Pure."""

from __future__ import annotations

from triggers.explain.checks import moment
from triggers.explain.values import AnswerWord, Facts
from triggers.model.durations import duration_text
from triggers.model.trigger import ScheduleTrigger
from triggers.operate.commands import command
from triggers.rules.schedules.occurrences import Occurrence, Timetable
from triggers.rules.schedules.zones import LAST_MS, local_text, zone_of

_Said = tuple[AnswerWord, str, str]


def judge_time(facts: Facts, schedule: ScheduleTrigger) -> _Said:
    """Judge a time for which there is no firing."""
    one = Occurrence.from_id(facts.object_id)
    if one is None:
        text = f"{facts.object_id} is no time of a schedule"
        return "no such object", text, "give a time as `history` shows it, such as 2026-11-28T05:15:00Z"
    if facts.entry.retired:
        return "does not fire", "the schedule is no longer declared", "declare it again"
    table = Timetable.of(schedule, facts.entry.since_ms, facts.entry.edited_ms)
    again = command("backfill", schedule.name)
    if one.at_ms <= facts.entry.since_ms:
        text = f"it was before the schedule was registered {moment(facts.entry.since_ms)}"
        return "does not fire", text, f"{again} runs times of the past"
    if one.at_ms <= facts.entry.edited_ms:
        text = f"the times of the schedule were changed after that {moment(facts.entry.edited_ms)}"
        return "does not fire", f"{text}, or skipped when it was resumed", f"{again} runs times of the past"
    read_to_ms = facts.read.cursor.read_to_ms
    if not table.coming(one.at_ms - 1, one.at_ms, 1):
        coming = table.coming(max(read_to_ms, facts.entry.since_ms), LAST_MS, 1)
        next_ = local_text(coming[0].at_ms, zone_of(schedule.timezone)) if coming else ""
        text = f"it is no time of the schedule, {schedule.when}"
        return "does not fire", text, f"its next time is {next_}" if next_ else "it has no time any more"
    if table.coming(one.at_ms - 1, one.at_ms, 1)[0].due_ms > read_to_ms:
        held = "; then it is held, since the schedule is paused" if facts.entry.paused else ""
        return "will fire", f"the time has not come; the clock has been read up to {moment(read_to_ms)[3:]}{held}", ""
    window = duration_text(schedule.window_ms)
    text = f"it was missed and not made up for: catch_up={schedule.catch_up!r}, catch_up_window={window!r}"
    return "does not fire", text, f"{again} runs it"
