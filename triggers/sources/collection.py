"""A collection of the ClearML server as a source: read by change time, narrowed while the server is busy.

How the server is asked is imported by what asks it: verbs that only read Redis want to know who reads what.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.launch_tags import is_service_task
from triggers.sources.source import Page, Source

if TYPE_CHECKING:
    from triggers.clearml_api import Api
    from triggers.clearml_api.narrowing import Narrowing
    from triggers.clearml_api.polls import Listing, PollPage
    from triggers.rules.query_plan import Query


@dataclass(frozen=True, slots=True)
class Needs:
    """What is asked of the server. `queries`: what is enough for the triggers; none where only everything is."""

    listing: Listing
    queries: tuple[Query, ...]


class Collection(Source):
    """What the sources on the ClearML server have in common. Their times are the server's."""

    clock = "the ClearML server's clock"
    by_server_clock = True

    @abstractmethod
    def listing(self, triggers: Sequence[Trigger]) -> Listing:
        """Give the call that lists the objects with all that these triggers read."""

    def needs(self, triggers: Sequence[Trigger]) -> Needs:
        from triggers.rules import query_plan

        return Needs(self.listing(triggers), query_plan.queries(triggers))

    def memory(self) -> Narrowing:
        from triggers.clearml_api.narrowing import Narrowing

        return Narrowing()

    def read(self, api: Api, needs: Needs, since_ms: int) -> Iterator[Page]:
        from triggers.clearml_api import polls

        return _pages(polls.read(api, needs.listing, since_ms))

    def poll(self, api: Api, needs: Needs, since_ms: int, memory: Narrowing, fresh_ms: int) -> Iterator[Page]:
        from triggers.clearml_api import narrowing

        return _pages(narrowing.read(api, needs.listing, needs.queries, since_ms, memory, fresh_ms=fresh_ms))

    def look_up(self, api: Api, needs: Needs, ids: Sequence[str]) -> list[Event]:
        from triggers.clearml_api import polls

        return polls.read_by_id(api, needs.listing, ids)

    def is_service(self, event: Event, service_task: str) -> bool:
        return event.id == service_task or is_service_task(event.system_tags)


def _pages(read: Iterable[PollPage]) -> Iterator[Page]:
    for page in read:
        yield Page(page.events, page.read_to_ms, page.last, page.server_ms)
