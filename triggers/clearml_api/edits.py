"""The calls by which actions look at one object and edit it. What they mean is the actions' concern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from triggers.base.errors import Refused, ServerUnavailable
from triggers.clearml_api import answers
from triggers.clearml_api.answers import objects, optional, texts
from triggers.clearml_api.connection import Api
from triggers.model.events import milliseconds
from triggers.model.items import METRICS

#: The server's collections; datasets are ClearML tasks.
ServerCollection = Literal["tasks", "models"]

_NO_SUCH_OBJECT: Final = {"tasks": (400, 101), "models": (400, 201)}
_FIELDS: Final = {
    "tasks": ("id", "status", "status_message", "status_changed", "tags", "system_tags", "comment", "project"),
    "models": ("id", "ready", "tags", "system_tags", "comment", "project", "metadata"),
}
_ARCHIVED: Final = "archived"


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object as the server has it now, and the calls that edit it. `status` of a model is "published" or "draft".

    `server_ms`: a time that the server's clock had passed when it was read. `metadata`: of a model, key → value.
    """

    collection: ServerCollection
    id: str
    status: str
    status_message: str
    status_changed_ms: int
    tags: tuple[str, ...]
    archived: bool
    comment: str
    project_id: str
    metadata: Mapping[str, str]
    server_ms: int
    api: Api = field(repr=False, compare=False)

    def change_tags(self, add: Sequence[str], remove: Sequence[str]) -> None:
        """Add and remove tags; others stay, whoever writes at the same time."""
        endpoint = f"{self.collection}.update_tags"
        answer = self.api.call(endpoint, {"ids": [self.id], "add_tags": [*add], "remove_tags": [*remove]})
        # of models that are gone it says that none was updated, and refuses nothing
        if answer.data.get("updated") == 0 and self.again() is None:
            raise Refused(endpoint, *_NO_SUCH_OBJECT[self.collection], "it was deleted")

    def publish(self) -> None:
        """Publish a task that has ended, or a model; a model's task stays as it is."""
        if self.collection == "tasks":
            self.api.call("tasks.publish", {"task": self.id})
        else:
            _many(self.api, "models.publish_many", {"ids": [self.id], "publish_task": False})

    def archive(self) -> None:
        """Put an object into the archive; a queued task leaves its queue by that."""
        _many(self.api, f"{self.collection}.archive_many", {"ids": [self.id]})

    def unarchive(self) -> None:
        """Take an object out of the archive."""
        _many(self.api, f"{self.collection}.unarchive_many", {"ids": [self.id]})

    def stop(self, reason: str) -> None:
        """Ask for the end of a task. One that a worker reports for goes on until its worker has ended it."""
        self.api.call("tasks.stop", {"task": self.id, "status_reason": reason, "status_message": reason})

    def stopped(self, reason: str) -> None:
        """Mark a task as stopped, whatever its worker says."""
        self.api.call("tasks.stopped", {"task": self.id, "status_reason": reason, "status_message": reason})

    def reset(self) -> None:
        """Make a task a draft again; refused when it is published or has published output models."""
        self.api.call("tasks.reset", {"task": self.id})

    def enqueue(self, queue_id: str) -> None:
        """Put a task into a queue."""
        self.api.call("tasks.enqueue", {"task": self.id, "queue": queue_id})

    def dequeue(self) -> None:
        """Take a task out of its queue."""
        self.api.call("tasks.dequeue", {"task": self.id})

    def set_comment(self, comment: str) -> None:
        """Write the description."""
        self.api.call(f"{self.collection}.update", {self.collection.removesuffix("s"): self.id, "comment": comment})

    def set_metadata(self, items: Sequence[Mapping[str, str]]) -> None:
        """Merge metadata into that of a model: items with `key`, `type` and `value`."""
        self.api.call("models.add_or_update_metadata", {"model": self.id, "metadata": [*items]})

    def again(self) -> ObjectState | None:
        """Read it once more."""
        return read(self.api, self.collection, self.id)

    def is_gone(self, refused: Refused) -> bool:
        """Whether a call was refused since the object is not there any more."""
        return (refused.code, refused.subcode) == _NO_SUCH_OBJECT[self.collection]


def read(api: Api, collection: ServerCollection, id_: str) -> ObjectState | None:
    """Read an object, archived or not; None when it was deleted. One request."""
    endpoint = f"{collection}.get_all"
    fields = list(_FIELDS[collection])
    query = {"id": [id_], "only_fields": fields, "search_hidden": True, "page": 0, "page_size": 1}
    answer = api.call(endpoint, query)
    for item in objects(endpoint, answer.data, collection):
        return _state(endpoint, collection, item, answer.server_ms, api)
    return None


def _state(
    endpoint: str, collection: ServerCollection, item: Mapping[str, Any], server_ms: int, api: Api
) -> ObjectState:
    if collection == "models":
        status = "published" if optional(endpoint, item, "ready", bool) else "draft"
    else:
        status = answers.field(endpoint, item, "status", str)
    metadata: dict[str, Any] = optional(endpoint, item, "metadata", dict)
    project = item.get("project")
    return ObjectState(
        collection=collection,
        id=answers.field(endpoint, item, "id", str),
        status=status,
        status_message=optional(endpoint, item, "status_message", str),
        status_changed_ms=_time(endpoint, optional(endpoint, item, "status_changed", str)),
        tags=texts(endpoint, item, "tags"),
        archived=_ARCHIVED in texts(endpoint, item, "system_tags"),
        comment=optional(endpoint, item, "comment", str),
        project_id=str(project.get("id") if isinstance(project, dict) else project or ""),
        metadata={key: str(one.get("value", "")) for key, one in metadata.items() if isinstance(one, dict)},
        server_ms=server_ms,
        api=api,
    )


def _time(endpoint: str, text: str) -> int:
    try:
        return milliseconds(text) if text else 0
    except ValueError as error:
        raise ServerUnavailable(f"{endpoint}: {text!r:.60} is not a time") from error


def read_metrics(api: Api, task_id: str) -> dict[str, float | None]:
    """Read the last values of all metrics of a ClearML task, by `metric_key`; none when it was deleted."""
    query = {"id": [task_id], "only_fields": ["id", "last_metrics"], "search_hidden": True, "page": 0, "page_size": 1}
    for item in objects("tasks.get_all", api.call("tasks.get_all", query).data, "tasks"):
        optional("tasks.get_all", item, "last_metrics", dict)
        try:
            return {key: metric.value for key, metric in METRICS.decode(item).items()}
        except AttributeError as error:
            raise ServerUnavailable(f"tasks.get_all: its answer has malformed last_metrics: {error}") from error
    return {}


def _many(api: Api, endpoint: str, body: Mapping[str, Any]) -> None:
    """Make a call for many on one object, whose refusal is in the answer.

    Raises:
        Refused: it was.
    """
    answer = api.call(endpoint, body).data
    for one in objects(endpoint, answer, "failed"):
        error = answers.field(endpoint, one, "error", dict)
        codes = answers.field(endpoint, error, "codes", list)
        if len(codes) != 2 or not all(isinstance(code, int) for code in codes) or codes[0] >= 500:
            raise ServerUnavailable(f"{endpoint}: failed for {body['ids']} with {codes!r:.60}")
        raise Refused(endpoint, codes[0], codes[1], str(error.get("msg", "")))
    if not objects(endpoint, answer, "succeeded"):
        raise ServerUnavailable(f"{endpoint}: its answer says nothing about {body['ids']}")
