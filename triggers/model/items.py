"""Values out of the server's items: times, metrics, and how a field of an event is read from an item."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from triggers.base.bounds import LONGEST_OBJECT_NAME, bounded_tags

#: An item of `models.get_all_ex` or of `tasks.get_all_ex`.
Item = Mapping[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric and variant of a ClearML task as the server sums it up; numbers may be NaN or infinite."""

    value: float | None = None
    min_value: float | None = None
    max_value: float | None = None


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a field of an event is read from an item.

    Args:
        part: of the item, what has to be of these `types` for the item to be read.
        types: of that part; it may be missing.
        decode: gives the value.
        asks: what the server is asked for; None: the part.
    """

    part: str
    types: tuple[type, ...]
    decode: Callable[[Item], Any]
    asks: tuple[str, ...] | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """What the server is asked for, as `only_fields` has it."""
        return (self.part,) if self.asks is None else self.asks


def reads(
    both: Decoding | None = None, *, models: Decoding | None = None, tasks: Decoding | None = None, since: int = 1
) -> dict[str, Any]:
    """Declare where a field of an event comes from, as the metadata of that field; a collection left out has none.

    `since`: the version of events that brought the field.
    """
    found = {"models": models or both, "tasks": tasks or both}
    return {"since": since, "decodings": {collection: reading for collection, reading in found.items() if reading}}


# ---- readings -------------------------------------------------------------------------------------------
def text(part: str, longest: int | None = None) -> Decoding:
    """Read a text, "" where there is none, cut at a length."""
    return Decoding(part, (str,), lambda item: (item.get(part) or "")[:longest])


def tags(part: str) -> Decoding:
    """Read a list of tags, as many as are kept."""
    return Decoding(part, (list,), lambda item: bounded_tags(item.get(part) or ()))


def _id(item: Item) -> Any:
    return item["id"]


def _changed_ms(item: Item) -> int:
    """Servers before last_change have last_update; an object with neither never changed."""
    text = item.get("last_change") or item.get("last_update") or item.get("created")
    return milliseconds(text) if text else 0


def part_of(name: str, key: str) -> Callable[[Item], str]:
    """Decode one key of a part that is {"id", "name"}, an id alone, or absent.

    Raises:
        TypeError: it is something else.
    """

    def decode(item: Item) -> str:
        found = item.get(name) or ""
        if not isinstance(found, Mapping):
            found = {"id": found}
        value = found.get(key) or ""
        if not isinstance(value, str):
            raise TypeError(f"its {name} is {item.get(name)!r:.80}")
        return value

    return decode


def _metrics(item: Item) -> dict[str, Metric]:
    return {
        f"{title}.{variant}": Metric(
            _number(value.get("value")), _number(value.get("min_value")), _number(value.get("max_value"))
        )
        for title, variants in (item.get("last_metrics") or {}).items()
        for variant, value in variants.items()
    }


def _number(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # an integer beyond 1e308
            return float("inf") if value > 0 else float("-inf")
    return None


def _users(item: Item) -> tuple[str, ...]:
    """Who made it, by id and name, and who changed it last, by id: the server names the first alone."""
    changed_by = item.get("last_changed_by") or ""
    if not isinstance(changed_by, str):
        raise TypeError(f"its last_changed_by is {changed_by!r:.80}")
    found = (part_of("user", "id")(item), part_of("user", "name")(item), changed_by)
    return tuple(dict.fromkeys(filter(None, found)))


ID: Final = Decoding("id", (str,), _id)
CHANGED: Final = Decoding("last_change", (str,), _changed_ms)
NAME: Final = text("name", LONGEST_OBJECT_NAME)
PROJECT: Final = Decoding("project", (dict, str), part_of("project", "name"), asks=("project.name",))
PROJECT_ID: Final = Decoding("project", (dict, str), part_of("project", "id"), asks=("project.name",))
PUBLISHED: Final = Decoding("ready", (bool,), lambda item: item.get("ready") is True)
MADE_BY: Final = Decoding("task", (dict, str), part_of("task", "id"))
USERS: Final = Decoding("user", (dict, str), _users, asks=("user.name", "last_changed_by"))
#: Those that triggers watch are asked for, each by its key.
METRICS: Final = Decoding("last_metrics", (dict,), _metrics, asks=())


# ---- metrics and times ----------------------------------------------------------------------------------
@lru_cache(maxsize=65_536)
def metric_key(title: str, variant: str) -> str:
    """Name a metric as the keys of the server's `last_metrics` do: "<md5(title)>.<md5(variant)>"."""
    return f"{_md5(title)}.{_md5(variant)}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def milliseconds(text: str) -> int:
    """Read a time of the server ("2026-01-31T12:00:00.123000+00:00", or with Z, or naive UTC) as epoch ms."""
    time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return (time - _EPOCH) // _MILLISECOND


def iso_time(ms: int) -> str:
    """Write epoch milliseconds as the server writes its times."""
    return (_EPOCH + ms * _MILLISECOND).isoformat(timespec="microseconds")
