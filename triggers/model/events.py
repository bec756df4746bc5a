"""Event: one observed change of one object, holding all that a condition may read.

Owns the decoding of the server's items and the JSON between stages. Reading the server is `clearml_api`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from triggers.base.bounds import LONGEST_OBJECT_NAME, bounded_tags
from triggers.base.formats import KNOWN, check_version, reading

Kind = Literal["model", "dataset", "task"]

#: All kinds, in the order in which they are shown.
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
#: System tags of the server: in the archive; run by hand and not by an agent.
ARCHIVED: Final = "archived"
DEVELOPMENT: Final = "development"

_TEXT: Final = {str}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND: Final = timedelta(milliseconds=1)
_HIDDEN: Final = ".datasets/"

# One encoder for all events: NaN and infinities pass, other alphabets and lone surrogates are escaped.
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric and variant of a ClearML task as the server sums it up; numbers may be NaN or infinite."""

    value: float | None = None
    min_value: float | None = None
    max_value: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one object. Its identity for deduplication is (id, changed_ms)."""

    kind: Kind  # "dataset" for ClearML tasks with the system tag "dataset"
    id: str
    changed_ms: int  # the server's last_change, milliseconds since the epoch (UTC)
    name: str = ""
    project: str = ""  # full name at reading time, "" when there is none
    project_id: str = ""
    tags: tuple[str, ...] = ()
    system_tags: tuple[str, ...] = ()
    status: str = ""  # tasks and datasets; "" for models
    ready: bool = False  # models: published
    type: str = ""  # task type; "" for models
    metrics: Mapping[str, Metric] = field(default_factory=dict, hash=False)  # by metric_key(title, variant)
    task: str = ""  # models: id of the ClearML task that made it

    def concerns(self, kind: Kind) -> bool:
        """Tell whether triggers of `kind` look at this object; a dataset is a ClearML task as well."""
        return self.kind == kind or (self.kind == "dataset" and kind == "task")

    def to_json(self) -> str:
        """Write the compact, versioned form; fields that say nothing are left out."""
        item: dict[str, Any] = {
            "v": KNOWN["event"],
            "kind": self.kind,
            "id": self.id,
            "changed_ms": self.changed_ms,
        }
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value:
                item[name] = value
        if self.metrics:
            item["metrics"] = {k: (m.value, m.min_value, m.max_value) for k, m in self.metrics.items()}
        return _encode(item)

    @classmethod
    def from_json(cls, text: str | bytes) -> Event:
        """Read what `to_json` wrote.

        Raises:
            Newer: the text is of a later version than this program knows.
            Unreadable: it is no event.
        """
        with reading("event"):
            item = json.loads(text)
            check_version("event", item.pop("v", None))
            item["tags"] = tuple(item.get("tags", ()))
            item["system_tags"] = tuple(item.get("system_tags", ()))
            metrics = item.get("metrics")
            if metrics:
                item["metrics"] = {key: Metric(*map(_as_number, values)) for key, values in metrics.items()}
            event = cls(**item)
            event._check()
            return event

    def _check(self) -> None:
        """Refuse fields of other types: conditions, launches and scripts rely on them."""
        texts = (self.id, self.name, self.project, self.project_id, self.status, self.type, self.task)
        # by the set of their types: this runs for every event that is matched
        right = (
            self.id
            and type(self.changed_ms) is int
            and type(self.ready) is bool
            and {*map(type, texts), *map(type, self.tags), *map(type, self.system_tags)} == _TEXT
            and self.kind in KINDS
        )
        if not right:
            raise TypeError("a field is missing or of another type")


_OPTIONAL: Final = (
    "name",
    "project",
    "project_id",
    "tags",
    "system_tags",
    "status",
    "ready",
    "type",
    "task",
)


@lru_cache(maxsize=65_536)
def metric_key(title: str, variant: str) -> str:
    """Name a metric as the keys of the server's `last_metrics` do: "<md5(title)>.<md5(variant)>"."""
    return f"{_md5(title)}.{_md5(variant)}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def dataset_project(project: str) -> str:
    """Give the project that a dataset belongs to: "P" for the hidden project "P/.datasets/NAME"."""
    if project.startswith(_HIDDEN):
        return ""
    return project.partition("/" + _HIDDEN)[0]


def milliseconds(text: str) -> int:
    """Read a time of the server ("2026-01-31T12:00:00.123000+00:00", or with Z, or naive UTC) as epoch ms."""
    time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return (time - _EPOCH) // _MILLISECOND


def iso_time(ms: int) -> str:
    """Write epoch milliseconds as the server writes its times."""
    return (_EPOCH + ms * _MILLISECOND).isoformat(timespec="microseconds")


def decode_task(item: Mapping[str, Any]) -> Event:
    """Read one item of `tasks.get_all_ex`; `project` is {"id", "name"}, an id alone, or absent."""
    system_tags = bounded_tags(item.get("system_tags") or ())
    project_id, project = _project(item)
    return Event(
        kind="dataset" if "dataset" in system_tags else "task",
        id=item["id"],
        changed_ms=_changed_ms(item),
        name=(item.get("name") or "")[:LONGEST_OBJECT_NAME],
        project=project,
        project_id=project_id,
        tags=bounded_tags(item.get("tags") or ()),
        system_tags=system_tags,
        status=item.get("status") or "",
        type=item.get("type") or "",
        metrics=_metrics(item.get("last_metrics") or {}),
    )


def decode_model(item: Mapping[str, Any]) -> Event:
    """Read one item of `models.get_all_ex`; `project` and `task` are objects, ids, or absent."""
    project_id, project = _project(item)
    task = item.get("task") or ""
    task = (task.get("id") or "") if isinstance(task, Mapping) else task
    if not isinstance(task, str):
        raise TypeError(f"its task is {task!r:.80}")
    return Event(
        kind="model",
        id=item["id"],
        changed_ms=_changed_ms(item),
        name=(item.get("name") or "")[:LONGEST_OBJECT_NAME],
        project=project,
        project_id=project_id,
        tags=bounded_tags(item.get("tags") or ()),
        system_tags=bounded_tags(item.get("system_tags") or ()),
        ready=item.get("ready") is True,
        task=task,
    )


def _changed_ms(item: Mapping[str, Any]) -> int:
    """Servers before last_change have last_update; an object with neither never changed."""
    text = item.get("last_change") or item.get("last_update") or item.get("created")
    return milliseconds(text) if text else 0


def _project(item: Mapping[str, Any]) -> tuple[str, str]:
    project = item.get("project") or ""
    id_, name = project, ""
    if isinstance(project, Mapping):
        id_, name = project.get("id") or "", project.get("name") or ""
    if not isinstance(id_, str) or not isinstance(name, str):
        raise TypeError(f"its project is {project!r:.80}")
    return id_, name


def _metrics(last_metrics: Mapping[str, Any]) -> dict[str, Metric]:
    return {
        f"{title}.{variant}": Metric(
            _number(value.get("value")), _number(value.get("min_value")), _number(value.get("max_value"))
        )
        for title, variants in last_metrics.items()
        for variant, value in variants.items()
    }


def _as_number(value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise TypeError(f"{value!r:.40} is no number")
    return value


def _number(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # an integer beyond 1e308
            return float("inf") if value > 0 else float("-inf")
    return None
