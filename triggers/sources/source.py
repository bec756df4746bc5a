"""What a source of events is: the interface that polls, `explain`, `replay` and the reports use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from triggers.base.settings import Settings
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.kinds import Kind
from triggers.sources import windows
from triggers.sources.windows import Advance, Window

if TYPE_CHECKING:
    from triggers.clearml_api import Api


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes, oldest first.

    Every change before `read_to_ms` was returned by this page and the earlier ones. `now_ms` is the time of the clock
    by which the source's changes are stamped.
    """

    events: tuple[Event, ...]
    read_to_ms: int
    last: bool
    now_ms: int


class Source(ABC):
    """Where events come from. It has no state: cursors are the ledger's, what a process remembers is its context's.

    An event's `id` is its identity: what happened to one id is decided in order, remembered under it, and fires once
    for each of its occurrences, since the key of a firing is made of trigger, id and occurrence. Its `changed_ms` is
    when it happened, by the source's own clock. For a ClearML collection these are an object and its last change; a
    source of moments makes one id of each.

    Attributes:
        name: Under which its cursor is stored, and which people see. Never changes.
        kinds: What it reads: triggers of these kinds are served from it, and from no other source.
        clock: The clock that stamps its changes, for people.
        by_server_clock: That is the ClearML server's, which the ledger watches for being set back.
    """

    name: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]]
    clock: ClassVar[str] = "the source's clock"
    by_server_clock: ClassVar[bool] = False

    @abstractmethod
    def needs(self, triggers: Sequence[Trigger]) -> Any:
        """Work out what has to be read for these triggers; kept until the registry changes."""

    @abstractmethod
    def read(self, api: Api, needs: Any, since_ms: int) -> Iterator[Page]:
        """Read everything that changed at `since_ms` or later, until a page is the last."""

    @abstractmethod
    def look_up(self, api: Api, needs: Any, ids: Sequence[str]) -> list[Event]:
        """Read some objects as they are now; those that are gone are absent."""

    def memory(self) -> Any:
        """Make what a polling process remembers between polls. Nothing may depend on its being kept."""
        return None

    def poll(self, api: Api, needs: Any, since_ms: int, memory: Any, fresh_ms: int) -> Iterator[Page]:
        """Read as `read` does, for a poll: what no trigger can concern may be left out.

        Args:
            api: The ClearML server.
            needs: What the triggers need.
            since_ms: From when to read.
            memory: Of this process; may be changed.
            fresh_ms: How far polls have read.
        """
        del memory, fresh_ms
        return self.read(api, needs, since_ms)

    def window(self, cursor: Cursor, entries: Iterable[Entry], settings: Settings) -> Window | None:
        """Choose from when the next poll reads for these entries; None when there is nothing to read."""
        return windows.choose_window(cursor, entries, settings)

    def advance(self, cursor: Cursor, window: Window, version: int, page: Page, *, idle_ms: int = 0) -> Advance:
        """Move the cursor past one page that was read for the registry of that version.

        `idle_ms`: how long nothing had been read before it, where the ClearML server's clock stamps the changes.
        """
        read_to_ms, last, now_ms = page.read_to_ms, page.last, page.now_ms
        return windows.advance(
            cursor, window, version, read_to_ms=read_to_ms, last=last, server_ms=now_ms, idle_ms=idle_ms
        )

    def is_service(self, event: Event, service_task: str) -> bool:
        """Tell whether an event is of a scheduler's service task, which no trigger sees: of this one or of another.

        Each scheduler renews its service task several times a minute; of N schedulers each would store the others'.
        """
        del event, service_task
        return False
