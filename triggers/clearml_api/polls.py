"""Reading what changed: one query serves all triggers, and none of the objects that it asks for is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from triggers.base.bounds import excess
from triggers.base.errors import ServerUnavailable
from triggers.base.logs import logger
from triggers.clearml_api.answers import objects
from triggers.clearml_api.connection import Api
from triggers.clearml_api.paging import does_not_move
from triggers.clearml_api.version import OLDEST_TEXT
from triggers.model.events import ASKED, REQUIRED, TYPES, Event, decode_model, decode_task, iso_time, milliseconds

_log = logger(__name__)

#: what the server returns at most
PAGE_SIZE: Final = 500
#: ids of ClearML tasks in one query
_IDS: Final = 100
#: passes over the objects of one single time before the poll gives up and begins again
_PASSES: Final = 50
#: passes that bring nothing new, after which that time counts as read
_QUIET_PASSES: Final = 5


@dataclass(frozen=True)
class PollPage:
    """Some changes, oldest first.

    Every visible object with `last_change` < `read_to_ms` was returned by this page and the earlier ones.
    """

    events: tuple[Event, ...]
    read_to_ms: int
    last: bool
    server_ms: int


@dataclass(frozen=True)
class Listing:
    """A call that lists objects, and how they are read."""

    endpoint: str
    key: str
    fields: tuple[str, ...]
    decode: Callable[[Mapping[str, Any]], Event]


#: All models.
MODELS: Final = Listing("models.get_all_ex", "models", ASKED["models"], decode_model)


def tasks(metrics: Iterable[str] = ()) -> Listing:
    """Give the call that lists ClearML tasks, datasets among them, with these metrics (`metric_key`)."""
    watched = tuple(
        f"last_metrics.{key}.{part}" for key in sorted(metrics) for part in ("value", "min_value", "max_value")
    )
    return Listing("tasks.get_all_ex", "tasks", ASKED["tasks"] + watched, decode_task)


def read(api: Api, listing: Listing, since_ms: int) -> Iterator[PollPage]:
    """Read the objects that changed at `since_ms` or later."""
    return Reader(api, listing, {}).pages(since_ms)


def read_by_id(api: Api, listing: Listing, ids: Sequence[str]) -> list[Event]:
    """Read some objects as a poll would read them now; those that are gone are absent."""
    found: list[Event] = []
    for start in range(0, len(ids), _IDS):
        reader = Reader(api, listing, {"id": list(ids[start : start + _IDS])})
        found += [event for page in reader.pages(0) for event in page.events]
    return found


class Reader:
    """Keyset paging: always the first page of `last_change` >= T in that order; then T moves.

    Pages by number would lose objects: one that changes meanwhile moves to the end and shifts those after it.
    """

    def __init__(self, api: Api, source: Listing, filters: Mapping[str, Any], page_size: int | None = None) -> None:
        self._api, self._source, self._filters = api, source, filters
        self._page_size = min(PAGE_SIZE, page_size or PAGE_SIZE)
        #: ids returned already with the time `_at_ms`, which the next page begins with
        self._seen: set[str] = set()
        self._at_ms = -1

    def pages(self, since_ms: int) -> Iterator[PollPage]:
        at_ms, last = since_ms, False
        while not last:
            found, server_ms = self._query([f">={iso_time(at_ms)}"], 0)
            last = len(found) < self._page_size
            times = self._times(found)
            if times and times[0] < at_ms:
                words = f"asked for what changed since {iso_time(at_ms)}, it gives what changed at {iso_time(times[0])}"
                raise does_not_move(self._source.endpoint, f"{words} (servers before {OLDEST_TEXT} ignore that filter)")
            if last:
                read_to_ms = max([at_ms, server_ms, *times])
                yield PollPage(self._events(found), read_to_ms, last, server_ms)
            elif times[0] == times[-1]:
                yield from self._one_time(times[0])
                at_ms = times[0] + 1
                yield PollPage((), at_ms, last, server_ms)
            else:
                at_ms = times[-1]
                yield PollPage(self._events(found), at_ms, last, server_ms)

    def _one_time(self, at_ms: int) -> Iterator[PollPage]:
        """Read all objects of one time, more than fit a page, by number: until two passes agree.

        An object that was read and leaves this time (it changed again) shifts the others, one of them past
        the page being read. It will not be in the next pass, so the two differ. Where nothing leaves, a pass
        that lost an object to another order of the ties returned another one twice; a server that never keeps
        their order is read until several passes bring nothing new.
        """
        before: set[str] = set()
        known, quiet = 0, 0
        for _ in range(_PASSES):
            present: set[str] = set()
            rows = 0
            for found, server_ms in self._numbered(at_ms):
                present.update(str(one.get("id")) for one in found)
                rows += len(found)
                if events := self._events(found):
                    yield PollPage(events, at_ms, False, server_ms)
            quiet = quiet + 1 if len(self._seen) == known else 0
            if (present == before and rows == len(present)) or quiet == _QUIET_PASSES:
                return
            before, known = present, len(self._seen)
        raise ServerUnavailable(
            f"{self._source.endpoint}: objects of {iso_time(at_ms)} kept changing, {_PASSES} times read"
        )

    def _numbered(self, at_ms: int) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """One pass over the objects of one time, page by page; ends also where a page brings nothing new."""
        time, number = iso_time(at_ms), 0
        passed: set[str] = set()
        while True:
            found, server_ms = self._query([f">={time}", f"<={time}"], number)
            yield found, server_ms
            ids = {str(one.get("id")) for one in found}
            if len(found) < self._page_size or ids <= passed:
                return
            passed, number = passed | ids, number + 1

    def _query(self, times: list[str], number: int) -> tuple[list[dict[str, Any]], int]:
        answer = self._api.call(
            self._source.endpoint,
            {
                "last_change": times,
                "order_by": ["last_change"],
                "page": number,
                "page_size": self._page_size,
                "only_fields": list(self._source.fields),
                "search_hidden": True,
                **self._filters,
            },
        )
        return objects(self._source.endpoint, answer.data, self._source.key), answer.server_ms

    def _times(self, found: list[dict[str, Any]]) -> list[int]:
        """The readable times of a page, ascending; a full page must have one to go on from."""
        times = []
        for one in found:
            try:
                times.append(milliseconds(one["last_change"]))
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # reported by `_events`
        if len(found) >= self._page_size and not times:
            raise ServerUnavailable(f"{self._source.endpoint}: no object of a page has a readable last_change")
        return sorted(times)

    def _events(self, found: list[dict[str, Any]]) -> tuple[Event, ...]:
        """Decode what was not returned before; what cannot be decoded is reported and left out."""
        events = []
        for one in found:
            wrong = next((name for name in TYPES if not _is_readable(name, one)), None)
            if wrong is not None:
                self._report(one, f"its {wrong} is {one.get(wrong)!r:.80}")
                continue
            try:
                event = self._source.decode(one)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                self._report(one, f"it cannot be decoded ({type(error).__name__}: {error})")
                continue
            if words := excess(one.get("name"), one.get("tags")):
                _log.warning("%s: object %r: %s", self._source.endpoint, event.id, words)
            if event.changed_ms > self._at_ms:
                self._at_ms, self._seen = event.changed_ms, set()
            if event.changed_ms == self._at_ms:
                if event.id in self._seen:
                    continue
                self._seen.add(event.id)
            events.append(event)
        return tuple(events)

    def _report(self, one: Mapping[str, Any], words: str) -> None:
        _log.error("%s: skipped object %r: %s", self._source.endpoint, one.get("id"), words)


def _is_readable(name: str, one: Mapping[str, Any]) -> bool:
    value = one.get(name)
    if value is None:
        return name not in REQUIRED
    if not isinstance(value, TYPES[name]):
        return False
    return not isinstance(value, list) or all(isinstance(tag, str) for tag in value)
