"""Event: one observed change of one object, holding all that a condition may read.

Each field is declared once, with where it comes from (`items`); the JSON between stages and what the server is asked
for follow from that. Decoding the server is `clearml_api`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from operator import attrgetter
from typing import Any, Final

from triggers.base.formats import check_version, lowest, reading
from triggers.model import items
from triggers.model.items import Decoding, reads
from triggers.model.items import Metric as Metric
from triggers.model.items import iso_time as iso_time
from triggers.model.items import metric_key as metric_key
from triggers.model.items import milliseconds as milliseconds
from triggers.model.kinds import KINDS as KINDS
from triggers.model.kinds import Kind as Kind

#: System tags of the server: in the archive; run by hand and not by an agent.
ARCHIVED: Final = "archived"
DEVELOPMENT: Final = "development"

_TEXT: Final = {str}
_HIDDEN: Final = ".datasets/"

# One encoder for all events: NaN and infinities pass, other alphabets and lone surrogates are escaped.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def _kind_of_task(item: items.Item) -> Kind:
    return "dataset" if "dataset" in (item.get("system_tags") or ()) else "task"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one object. Its identity for deduplication is (id, changed_ms).

    A field is a text, a flag, a tuple of texts or the metrics. One that was added says since which version of events.
    """

    #: "dataset" for ClearML tasks with the system tag "dataset"
    kind: Kind = field(
        metadata=reads(
            models=Decoding("id", (str,), lambda _: "model"), tasks=Decoding("system_tags", (list,), _kind_of_task)
        )
    )
    id: str = field(metadata=reads(items.ID))
    #: the server's last_change, milliseconds since the epoch (UTC)
    changed_ms: int = field(metadata=reads(items.CHANGED))
    name: str = field(default="", metadata=reads(items.NAME))
    #: full name at reading time, "" when there is none
    project: str = field(default="", metadata=reads(items.PROJECT))
    project_id: str = field(default="", metadata=reads(items.PROJECT_ID))
    tags: tuple[str, ...] = field(default=(), metadata=reads(items.tags("tags")))
    system_tags: tuple[str, ...] = field(default=(), metadata=reads(items.tags("system_tags")))
    #: tasks and datasets; "" for models
    status: str = field(default="", metadata=reads(tasks=items.text("status")))
    #: models: published
    ready: bool = field(default=False, metadata=reads(models=items.PUBLISHED))
    #: task type; "" for models
    type: str = field(default="", metadata=reads(tasks=items.text("type")))
    #: by metric_key(title, variant)
    metrics: Mapping[str, Metric] = field(default_factory=dict, hash=False, metadata=reads(tasks=items.METRICS))
    #: models: id of the ClearML task that made it
    task: str = field(default="", metadata=reads(models=items.MADE_BY))
    #: who made it (id, name) and who changed it last (id)
    users: tuple[str, ...] = field(default=(), metadata=reads(items.USERS, since=2))
    #: schedules: the nominal time in ISO 8601, local with its offset; no collection has it
    at: str = field(default="", metadata=reads(since=3))

    def concerns(self, kind: Kind) -> bool:
        """Tell whether triggers of `kind` look at this object; a dataset is a ClearML task as well."""
        return self.kind == kind or kind in KINDS[self.kind].also

    def to_json(self) -> str:
        """Write the compact, versioned form; fields that say nothing are left out."""
        version = lowest("event")
        item: dict[str, Any] = {"v": version, "kind": self.kind, "id": self.id, "changed_ms": self.changed_ms}
        for name, since in _OPTIONAL:
            value = getattr(self, name)
            if value:
                item[name] = value
                if since > version:
                    version = item["v"] = since
        if self.metrics:
            item["metrics"] = {k: (m.value, m.min_value, m.max_value) for k, m in self.metrics.items()}
        return _encode(item)

    @classmethod
    def from_json(cls, text: str | bytes) -> Event:
        """Read what `to_json` wrote.

        Raises:
            Newer: the text is of a later version than this program knows.
            Unreadable: it is not an event.
        """
        with reading("event"):
            item = json.loads(text)
            check_version("event", item.pop("v", None))
            for name in LISTS:
                item[name] = tuple(item.get(name, ()))
            metrics = item.get("metrics")
            if metrics:
                item["metrics"] = {key: Metric(*map(_as_number, values)) for key, values in metrics.items()}
            event = cls(**item)
            event._check()
            return event

    def _check(self) -> None:
        """Refuse fields of other types: conditions, launches and scripts rely on them."""
        # by the set of their types: this runs for every event that is matched
        types = {*map(type, _texts_of(self))}
        for texts in _lists_of(self):
            types.update(map(type, texts))
        right = (
            types == _TEXT
            and self.id
            and type(self.changed_ms) is int
            and all(type(getattr(self, name)) is bool for name in _FLAGS)
            and self.kind in KINDS
        )
        if not right:
            raise TypeError("a field is missing or of another type")


# ---- what follows from the declarations -----------------------------------------------------------------
#: Fields that may be left out, with the version of events since which they are there. Metrics have a form of their own.
_OPTIONAL: Final = tuple((one.name, one.metadata["since"]) for one in fields(Event) if one.default is not MISSING)


def _of_type(type_: str) -> tuple[str, ...]:
    return tuple(one.name for one in fields(Event) if one.type == type_)


#: Fields that are tuples of texts.
LISTS: Final = _of_type("tuple[str, ...]")
_FLAGS: Final = _of_type("bool")
_texts_of: Final = attrgetter(*_of_type("str"))
_lists_of: Final = attrgetter(*LISTS)

#: Collection of the server → field of an event → how it is read there.
DECODINGS: Final[dict[str, dict[str, Decoding]]] = {
    collection: {
        one.name: one.metadata["decodings"][collection]
        for one in fields(Event)
        if collection in one.metadata["decodings"]
    }
    for collection in ("models", "tasks")
}
#: Collection → the fields of its items that the server is asked for.
ASKED: Final[dict[str, tuple[str, ...]]] = {
    collection: tuple(sorted({name for reading in found.values() for name in reading.asked}))
    for collection, found in DECODINGS.items()
}
#: Part of an item → what it must be for the item to be read; each may be missing but for those in `REQUIRED`.
TYPES: Final[dict[str, tuple[type, ...]]] = {
    reading.part: reading.types for found in DECODINGS.values() for reading in found.values()
}
REQUIRED: Final = ("id", "last_change")


def decode_task(item: Mapping[str, Any]) -> Event:
    """Read one item of `tasks.get_all_ex`; `project` is {"id", "name"}, an id alone, or absent."""
    return _decode("tasks", item)


def decode_model(item: Mapping[str, Any]) -> Event:
    """Read one item of `models.get_all_ex`; `project` and `task` are objects, ids, or absent."""
    return _decode("models", item)


def _decode(collection: str, item: Mapping[str, Any]) -> Event:
    return Event(**{name: reading.decode(item) for name, reading in DECODINGS[collection].items()})


def dataset_project(project: str) -> str:
    """Give the project that a dataset belongs to: "P" for the hidden project "P/.datasets/NAME"."""
    if project.startswith(_HIDDEN):
        return ""
    return project.partition("/" + _HIDDEN)[0]


def _as_number(value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise TypeError(f"{value!r:.40} is not a number")
    return value
