"""One trigger: what it says, how it is, what it did; its text to edit, and what it would fire for."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from starlette.responses import Response

from triggers.base.errors import Usage
from triggers.configuration import dump
from triggers.console.pages.tables import rows_of
from triggers.console.request import Asked
from triggers.ledger.registry.registry import Entry
from triggers.model.parts import all_parts
from triggers.operate import granting, timetables, wording
from triggers.operate.history import Filter
from triggers.operate.times import time_ms

#: Entries of the timeline.
_TIMELINE = 20
#: Coming times of a schedule, and how far they are looked for, ms.
_COMING, _COMING_MS = 8, 366 * 86_400_000
#: Minutes and bars of the chart.
_MINUTES, _BARS = 24 * 60, 96


def entry_of(asked: Asked) -> Entry:
    """The trigger of the address.

    Raises:
        Usage: there is none; the message lists what there is.
    """
    return asked.scheduler.target.entry(asked.parts["trigger"], retired=True)


def page(asked: Asked) -> Response:
    """Condition, actions, policy, counts, timeline."""
    target, entry = asked.scheduler.target, entry_of(asked)
    asked.scheduler.activity.read_on()
    (row,) = rows_of(asked, [entry])
    trigger = entry.trigger
    timeline = asked.scheduler.activity.page(Filter(trigger.id), asked.query.get("before", ""), _TIMELINE)
    return asked.page(
        "trigger.html",
        row=row,
        entry=entry,
        trigger=trigger,
        policy=wording.policy(trigger, target.settings.max_per_minute),
        declared=wording.declared(entry),
        wanted=wording.condition(trigger),
        coming=_coming(asked, entry),
        actions=[(wording.number(part), action.words()) for part, action in all_parts(trigger)],
        timeline=timeline,
        chart=_chart(asked, trigger.id),
    )


def _coming(asked: Asked, entry: Entry) -> list[timetables.Coming]:
    """The next times of a schedule; none of any other trigger."""
    now_ms = asked.scheduler.target.ledger.wall_ms()
    return timetables.coming([entry], now_ms, now_ms + _COMING_MS, _COMING)[:_COMING]


def _chart(asked: Asked, trigger: str) -> dict[str, Any]:
    """Launches of a day, as the script of the chart takes them: times in seconds, and counts."""
    counts = asked.scheduler.activity.launches(trigger, asked.now_ms, _MINUTES, _BARS)
    each = _MINUTES // _BARS * 60
    last = asked.now_ms // 60_000 * 60
    return {"at": [last - (len(counts) - 1 - place) * each for place in range(len(counts))], "count": counts}


def edit(asked: Asked) -> Response:
    """The trigger as YAML."""
    entry = entry_of(asked)
    return asked.page("edit.html", trigger=entry.trigger, text=dump([entry.trigger]), wrong="")


def edit_again(asked: Asked, wrong: str) -> Response | None:
    """The YAML that was posted, with what is wrong with it; None where nobody knows of which trigger it is."""
    back = unquote(asked.given("back")).partition("/triggers/")[2]
    entry = asked.scheduler.target.ledger.registry.snapshot().entries.get(back)
    if entry is None or not asked.given("text").strip():
        return None
    return asked.page("edit.html", 400, trigger=entry.trigger, text=asked.given("text"), wrong=wrong)


def test(asked: Asked) -> Response:
    """What changed since a time and satisfies the condition now. ClearML is asked, as the verb does.

    Raises:
        Usage: no credentials, or the time makes no sense.
        ServerUnavailable: no answer.
    """
    target, entry = asked.scheduler.target, entry_of(asked)
    since = asked.query.get("since", "") or "7d"
    found, looked = granting.find(target, [entry], time_ms(since, target.server_now_ms(), "since"))
    return asked.page("test.html", entry=entry, trigger=entry.trigger, since=since, found=found[:500], looked=looked)


def text_of(asked: Asked) -> str:
    """The YAML that was posted.

    Raises:
        Usage: nothing was.
    """
    text = asked.given("text")
    if not text.strip():
        raise Usage("give the trigger as YAML; to retire it, use Delete on its page")
    return text
