"""Drafts: the one place that deletes ClearML tasks; never one that is, or ever was, the base task of a trigger."""

from __future__ import annotations

from triggers.base.logs import logger
from triggers.clearml_api import launches
from triggers.clearml_api.launches import Deleted
from triggers.context import Context

log = logger(__name__)


def delete(ctx: Context, task_id: str) -> Deleted:
    """Delete a draft of an attempt that is void; what was enqueued, and people's base tasks, stay as they are."""
    deleted = launches.delete_draft(ctx.api, task_id, is_base_task=ctx.ledger.registry.is_base_task)
    if deleted == "kept":
        log.warning("ClearML task %s carries launch tags and is a base task: it is not deleted", task_id)
    return deleted
