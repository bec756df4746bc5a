"""The script of a user, as it was then and is now: the same declarations, by the public interface alone.

Beside what its stories need it declares every argument that there was then.
"""

from __future__ import annotations

import os
from typing import Any

from triggers import TriggerScheduler

PROJECT, NAME = "DevOps", "left by an earlier commit"


def on_host(object_id: str) -> None:
    """A function of the script's own process."""
    print(f"called for {object_id}", flush=True)


def declare(base: str, reused: str, gone: str, **arguments: Any) -> TriggerScheduler:
    """The scheduler with its triggers.

    Args:
        base: id of the base task of most.
        reused: id of the one that is run itself.
        gone: id of one that was deleted.
        arguments: of the scheduler.
    """
    scheduler = TriggerScheduler(0.5, force_create_task_name=NAME, force_create_task_project=PROJECT, **arguments)
    task: dict[str, Any] = {"schedule_task_id": base, "schedule_queue": "default", "add_tag": False}

    def story(name: str, **fields: Any) -> None:
        """A trigger that fires for failed tasks with a tag of its name."""
        scheduler.add_task_trigger(name=name, trigger_on_tags=[name], trigger_on_status=["failed"], **fields)

    story("plain", **task)
    story("transition", **task, fire="on_transition")
    story("repeating", **task, fire="while_true", cooldown_minutes=0.01)
    story("skipping", **task, single_instance=True)
    story("queueing", **task, single_instance=True, overlap="queue")
    story("latest", **task, single_instance=True, overlap="latest")
    story("paused", **task)
    story("paced", **task, max_per_minute=1)
    story("dead", **task | {"schedule_task_id": gone}, owner="@ann")
    story("dropped", **task | {"schedule_task_id": gone})
    story("retried", **task | {"schedule_queue": "made later"})
    story("drafted", **task)
    story("half done", **task)
    story("reusing", **task | {"schedule_task_id": reused}, reuse_task=True)
    story("here", schedule_function=on_host)
    story("anywhere", schedule_function=os.path.basename, function_workers=True)
    story("unmatched", **task)
    scheduler.add_task_trigger(
        **task, name="own", trigger_name="^its own$", trigger_project="Own", target_project="Own",
        task_overrides={"name": "its own"},
    )  # fmt: skip
    _every_argument(scheduler, base)
    return scheduler


def _every_argument(scheduler: TriggerScheduler, base: str) -> None:
    """Triggers that never fire, which between them have every argument."""
    common: dict[str, Any] = {
        "schedule_queue": "default", "trigger_project": "Nowhere", "trigger_name": "^never$",
        "trigger_on_tags": ["a", "b"], "trigger_required_tags": ["c"], "trigger_on_any_tags": ["d", "e"],
        "trigger_exclude_tags": ["f"], "trigger_on_publish": True, "trigger_on_archive": True,
        "target_project": "Target", "add_tag": "tagged", "single_instance": True, "overlap": "latest",
        "fire": "while_true", "cooldown_minutes": 7.5, "max_per_minute": 3, "provenance": False, "owner": "@ann",
        "task_overrides": {"script.branch": "main", "Args/x": "1"},
    }  # fmt: skip
    for kind in ("model", "dataset", "task"):
        of_kind = common | {"name": f"all of a {kind}"}
        of_kind["task_parameters"] = {"Args/id": f"${{{kind}.id}}"}
        more: dict[str, Any] = {}
        if kind == "task":
            more = {
                "trigger_on_status": ["failed", "stopped"], "trigger_exclude_dev_tasks": True,
                "trigger_on_metric": "loss", "trigger_on_variant": "total", "trigger_on_threshold": 0.5,
                "trigger_on_sign": "last", "trigger_on_direction": "below",
            }  # fmt: skip
        getattr(scheduler, f"add_{kind}_trigger")(base, **of_kind, **more)
    scheduler.add_model_trigger(
        name="by query", schedule_queue="default", trigger_name="^never$",
        schedule_task_query={"project": "P", "name": "N", "tags": ["t"]},
    )  # fmt: skip


def main() -> None:
    """Register, by whichever release is imported."""
    declare(*os.environ["UPGRADE_BASES"].split()).register()
