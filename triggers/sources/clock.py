"""The clock as a source: the nominal times of schedules. Its own stage, `stages.clock`, reads it at each tick."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from triggers.base.settings import Settings
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.schedule_fields import SCHEDULE
from triggers.sources.source import Page, Source

if TYPE_CHECKING:
    from triggers.clearml_api import Api


class ClockSource(Source):
    """Nothing is asked of anybody: what time it is, the ledger says."""

    name = "clock"
    kinds = (SCHEDULE,)
    clock = "Redis' clock"

    def needs(self, triggers: Sequence[Trigger]) -> tuple[str, ...]:
        """The names of the schedules."""
        return tuple(trigger.name for trigger in triggers)

    def window(self, cursor: Cursor, entries: Iterable[Entry], settings: Settings) -> None:
        """Give none: the clock is not polled, as polls may wait for the ClearML server."""
        del cursor, entries, settings

    def read(self, api: Api, needs: tuple[str, ...], since_ms: int) -> Iterator[Page]:
        """Give nothing: times that are over are run again by `clearml-triggers backfill`."""
        del api, needs
        yield Page((), since_ms, True, since_ms)

    def look_up(self, api: Api, needs: tuple[str, ...], ids: Sequence[str]) -> list[Event]:
        """Give the times of these ids, where there is one schedule that they can be of."""
        from triggers.rules.schedules.occurrences import Occurrence, event_of

        del api
        if len(needs) != 1:
            return []
        found = (Occurrence.from_id(id_) for id_ in ids)
        return [event_of(needs[0], one, "UTC") for one in found if one is not None]
