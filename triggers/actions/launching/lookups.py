"""Names of queues and projects resolved to ids, remembered for a short while: people rename and recreate them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from triggers.actions.launching.request import pipeline_project
from triggers.actions.task_query import BaseTaskQuery
from triggers.clearml_api import launches
from triggers.context import Context
from triggers.model.launch_tags import scheduler_tag
from triggers.model.trigger import slot_of_reused
from triggers.rules.recovery import Holder, judge_holder

#: How long a resolved id is believed, seconds. A refusal by the server forgets it at once.
BELIEVE_SECONDS = 60.0


def queue_id(ctx: Context, queue: str) -> str | None:
    """The id of a queue given by name or id; None when the server has none such. One request a minute each."""
    return _remember(ctx, ("queue", queue), lambda: launches.find_queue(ctx.api, queue))


def project_id(ctx: Context, name: str) -> str | None:
    """The id of a project, made when it is missing."""
    return _remember(ctx, ("project", name), lambda: launches.find_project(ctx.api, name, create=True))


def base_task(ctx: Context, query: BaseTaskQuery) -> dict[str, Any] | None:
    """The newest ClearML task that the query means now; never one that this scheduler launched itself.

    A project and a name with no such task mean the pipeline of that name: its runs lie in a hidden project.
    """
    project = launches.find_project(ctx.api, query.project) if query.project else None
    if query.project and project is None:
        return None
    own = scheduler_tag(ctx.ledger.scheduler)
    found = launches.find_base_task(ctx.api, project=project, name=query.name, tags=query.tags, not_marked=own)
    if found or not (query.project and query.name):
        return found
    hidden = launches.find_project(ctx.api, pipeline_project(query.project, query.name))
    if hidden is None:
        return None
    return launches.find_base_task(
        ctx.api, project=hidden, name=query.name, tags=query.tags, not_marked=own, pipeline=True
    )


def holders(ctx: Context, held: Mapping[str, str]) -> dict[str, Holder]:
    """Whether the launched ClearML tasks that hold slots run, by slot. One request for all.

    The slot of a reused task is that task: a draft between its runs, made by whoever resets it for the next one.
    """
    ids = list(held.values())
    statuses = launches.read_statuses(ctx.api, ids)
    since, late = dict(zip(ids, ctx.ledger.firings.launched_seconds(ids), strict=True)), ctx.settings.overlap_seconds
    return {
        slot: judge_holder(statuses.get(id_), since[id_], 0.0 if slot == slot_of_reused(id_) else late)
        for slot, id_ in held.items()
    }


def forget(ctx: Context, what: str, name: str) -> None:
    """Look it up anew next time."""
    ctx.names.pop((what, name), None)


def _remember(ctx: Context, key: tuple[str, str], look: Callable[[], str | None]) -> str | None:
    known = ctx.names.get(key)
    if known and time.monotonic() - known[0] < BELIEVE_SECONDS:
        return known[1]
    found = look()
    if found is not None:
        ctx.names[key] = (time.monotonic(), found)
    return found
