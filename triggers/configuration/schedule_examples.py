"""Examples of schedules: from a moment on, when does it fire? No server and no clock is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from triggers.base.errors import Usage
from triggers.base.plural import plural
from triggers.model import Trigger
from triggers.model.trigger import ScheduleTrigger
from triggers.rules.schedules.build import moment_ms
from triggers.rules.schedules.occurrences import Timetable
from triggers.rules.schedules.zones import local_text, zone_of


@dataclass(frozen=True, slots=True)
class TimesExample:
    """One example held against its schedule. `wanted` and `found`: times as the schedule's zone has them."""

    trigger: Trigger
    wanted: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether the schedule fires as the example says."""
        return self.wanted == self.found

    @property
    def outcome(self) -> list[str]:
        """When it fires, for machines."""
        return list(self.found)

    @property
    def why(self) -> str:
        """What is wrong, for people."""
        return f"the example says it fires at {_listed(self.wanted)}; it fires at {_listed(self.found)}"


def run(item: Mapping[str, Any], triggers: Sequence[Trigger], place: str) -> TimesExample:
    """Hold an example `{schedule, from, fires: [...]}` against its schedule, which begins at `from`.

    The times that it lists have to be the first ones after that; an empty list means that there is none.

    Raises:
        Usage: The example cannot be read.
    """
    if not item.keys() <= {"schedule", "from", "fires"} or not isinstance(item.get("fires"), list):
        raise Usage(f"{place}: give 'schedule', 'from' and 'fires' (a list of times), and nothing else")
    names = (item["schedule"], f"schedule:{item['schedule']}")
    found = [one for one in triggers if isinstance(one, ScheduleTrigger) and (one.name in names or one.id in names)]
    if len(found) != 1:
        raise Usage(f"{place}: {plural(len(found), 'schedule')} of this file are named {item['schedule']!r}")
    schedule, zone = found[0], zone_of(found[0].timezone)
    start_ms = _moment(item.get("from"), schedule, place)
    wanted = [_moment(text, schedule, place) for text in item["fires"]]
    table = Timetable.of(schedule, start_ms)
    last_ms = max(wanted, default=start_ms) + 400 * 366 * 86_400_000
    times = table.coming(start_ms, last_ms, max(1, len(wanted)))
    return TimesExample(
        schedule,
        tuple(local_text(ms, zone) for ms in wanted),
        tuple(local_text(one.at_ms, zone) for one in times),
    )


def _moment(value: Any, schedule: ScheduleTrigger, place: str) -> int:
    if isinstance(value, (date, datetime)):  # YAML reads what looks like one
        value = value.isoformat()
    try:
        return moment_ms(str(value).replace("Z", "+00:00"), zone_of(schedule.timezone))
    except (ValueError, OverflowError):  # of the years 1 and 9999
        raise Usage(f"{place}: {value!r}: give a time in ISO 8601, such as 2026-12-24T18:00") from None


def _listed(times: Sequence[str]) -> str:
    return ", ".join(times) or "no time"
