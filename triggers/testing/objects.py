"""Describing what changed: models, datasets, tasks and times of schedules, as their sources would read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from triggers.base.errors import Usage
from triggers.base.meant import meant
from triggers.model.events import ARCHIVED, DEVELOPMENT, LISTS, Event, Metric, metric_key
from triggers.model.kinds import Kind
from triggers.model.values import STATUSES

#: One metric as a test describes it: its only value, or (latest, minimum, maximum).
Number = float | tuple[float, float, float]


def model(
    name: str = "model",
    *,
    id: str = "model-1",
    project: str = "",
    tags: Iterable[str] = (),
    users: Iterable[str] = (),
    published: bool = False,
    archived: bool = False,
    task: str = "",
) -> Event:
    """Describe a model.

    Args:
        name: its name.
        id: its id.
        project: full name of its project.
        tags: its tags.
        users: ids and names of who made it and who changed it last; see `trigger_on_user`.
        published: whether it is published.
        archived: whether it is in the archive.
        task: id of the ClearML task that made it.
    """
    system_tags = [ARCHIVED] * archived
    return _event(
        "model", id, name, project, tags=tags, users=users, system_tags=system_tags, ready=published, task=task
    )


def dataset(
    name: str = "dataset",
    *,
    id: str = "dataset-1",
    project: str = "",
    tags: Iterable[str] = (),
    users: Iterable[str] = (),
    status: str = "completed",
    archived: bool = False,
) -> Event:
    """Describe a dataset version, a finalized one unless `status` says otherwise.

    Args:
        name: name of the dataset.
        id: id of the version.
        project: full name of the dataset's project.
        tags: its tags.
        users: ids and names of who made it and who changed it last; see `trigger_on_user`.
        status: one of the SDK's TaskStatusEnum.
        archived: whether it is in the archive.

    Raises:
        Usage: there is no such status.
    """
    hidden = f"{project}/.datasets/{name}".lstrip("/")
    system_tags = ["dataset", *[ARCHIVED] * archived]
    return _event(
        "dataset",
        id,
        name,
        hidden,
        tags=tags,
        users=users,
        system_tags=system_tags,
        status=_status(status),
        type="data_processing",
    )


def task(
    name: str = "task",
    *,
    id: str = "task-1",
    project: str = "",
    tags: Iterable[str] = (),
    users: Iterable[str] = (),
    status: str = "created",
    type: str = "training",
    metrics: Mapping[tuple[str, str], Number] | None = None,
    archived: bool = False,
    development: bool = False,
) -> Event:
    """Describe a ClearML task.

    Args:
        name: its name.
        id: its id.
        project: full name of its project.
        tags: its tags.
        users: ids and names of who made it and who changed it last; see `trigger_on_user`.
        status: one of the SDK's TaskStatusEnum.
        type: its type.
        metrics: {("loss", "validation"): 0.3}, or (latest, minimum, maximum) instead of one value.
        archived: in the archive.
        development: run by hand and not by an agent; see `trigger_exclude_dev_tasks`.

    Raises:
        Usage: there is no such status.
    """
    system_tags = [ARCHIVED] * archived + [DEVELOPMENT] * development
    values = {metric_key(*names): _metric(value) for names, value in (metrics or {}).items()}
    return _event(
        "task",
        id,
        name,
        project,
        tags=tags,
        users=users,
        system_tags=system_tags,
        status=_status(status),
        type=type,
        metrics=values,
    )


def schedule(name: str = "schedule", *, id: str = "2026-01-01T06:00:00Z", at: str = "") -> Event:
    """Describe a time of a schedule.

    Args:
        name: name of the schedule.
        id: the time in UTC, in ISO 8601 with `Z`.
        at: the same as local time with its offset; "" means as `id`.
    """
    return _event("schedule", id, name, "", at=at or id)


def _event(kind: Kind, id_: str, name: str, project: str, **fields: Any) -> Event:
    for argument, value in fields.items():
        if argument in LISTS:
            if isinstance(value, str):
                raise Usage(f"{argument}={value!r}: give a list of strings")
            fields[argument] = tuple(value)
    return Event(kind, id_, 0, name, project, **fields)


def _status(status: str) -> str:
    if status not in STATUSES:
        raise Usage(f"status={status!r}: a status is one of {', '.join(STATUSES)}{meant(status, STATUSES)}")
    return status


def _metric(value: Number) -> Metric:
    latest, least, most = value if isinstance(value, tuple) else (value, value, value)
    return Metric(latest, min_value=least, max_value=most)
