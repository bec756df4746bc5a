"""The user's script: one trigger for each kind of change of the plan, by the public interface alone."""

from __future__ import annotations

import os
from typing import Any

from tests.chaos.plan import KINDS
from tests.chaos.receiver import HOSTS, SENT
from tests.crash.functions import note
from triggers import TriggerScheduler
from triggers.actions import Webhook

#: environment variables: ids of the ClearML tasks that are cloned and reused, the port of the receivers of webhooks
BASE, REUSED, PORT = "CHAOS_BASE", "CHAOS_REUSED", "CHAOS_RECEIVERS"
#: where objects change, and the queues of launches
PROJECT, QUEUE, REUSED_QUEUE = "chaos", "chaos", "chaos reused"

#: what differs from a trigger on the name alone that clones and enqueues once for each object
TRIGGERS: dict[str, dict[str, Any]] = {
    "failed": {"trigger_on_status": ["failed"]},
    "tagged": {"trigger_on_tags": ["go"], "task_overrides": {"script.branch": "main"}},
    "published": {"trigger_on_publish": True},
    "archived": {"trigger_on_archive": True},
    "threshold": {
        "trigger_on_metric": "accuracy",
        "trigger_on_variant": "validation",
        "trigger_on_threshold": 0.9,
        "trigger_on_sign": "max",
    },
    "model": {"trigger_on_publish": True},
    "model-of-task": {"trigger_on_publish": True},
    "dataset": {},
    "dataset-published": {"trigger_on_publish": True},
    "called": {"trigger_on_tags": ["go"], "schedule_function": note, "function_workers": True},
    "transition": {"trigger_on_tags": ["go"], "fire": "on_transition"},
    "every-change": {"trigger_on_tags": ["go"], "fire": "while_true"},
    "reused": {
        "trigger_on_tags": ["go"],
        "fire": "while_true",
        "reuse_task": True,
        "single_instance": True,
        "overlap": "queue",
    },
    "queued": {"trigger_on_tags": ["go"], "single_instance": True, "overlap": "queue"},
    "skipped": {"trigger_on_tags": ["go"], "single_instance": True, "overlap": "skip"},
    "quiet": {"trigger_on_tags": ["go", "never given"]},
    "told": {"trigger_on_tags": ["go"]},
    # its launches lie in the project, have such a name, and end as its objects do
    "own": {
        "trigger_on_status": ["failed", "completed"],
        "target_project": PROJECT,
        "task_overrides": {"name": "own-0"},
    },
    "watched": {"trigger_on_status": ["failed"]},
    "returning": {"trigger_on_status": ["failed"]},
}


def sends() -> dict[str, Any]:
    """What is sent where: two webhooks that go well in the end, one that is refused for good, and the alarm for it."""
    made = {
        what: Webhook(f"http://{HOSTS[host]}:{os.environ[PORT]}/{what}", body={"object": "${object.name}"})
        for what, (_, host) in SENT.items()
    }
    alarm = made.pop("alarm")
    return {"actions": [*made.values()], "on_failed": [alarm]}


def declare(scheduler: TriggerScheduler) -> None:
    """Add them all."""
    for name in KINDS:
        kind = name.partition("-")[0] if name.startswith(("model", "dataset")) else "task"
        how = {"trigger_project": PROJECT, "trigger_name": rf"^{name}-\d+$"} | TRIGGERS[name]
        if how.get("reuse_task"):
            how |= {"schedule_task_id": os.environ[REUSED], "schedule_queue": REUSED_QUEUE}
        elif name == "told":
            how |= sends()
        elif "schedule_function" not in how:
            parameters = {"Args/trigger": name, "Args/source": f"${{{kind}.id}}"}
            how |= {"schedule_task_id": os.environ[BASE], "schedule_queue": QUEUE, "task_parameters": parameters}
        getattr(scheduler, f"add_{kind}_trigger")(name=name, **how)


def main() -> None:
    """Serve until killed."""
    scheduler = TriggerScheduler(1 / 60, force_create_task_project="operations", force_create_task_name="chaos")
    declare(scheduler)
    scheduler.start()


if __name__ == "__main__":
    main()
