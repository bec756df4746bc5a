"""Three triggers on the local ClearML server, and changes that they fire for: what the sandbox of Compose shows."""

from __future__ import annotations

import itertools
import os
import threading
import time
from typing import Any

from clearml import Task

from triggers import TriggerScheduler
from triggers.sandbox.client import Client, Control

PAUSE_SECONDS = 5.0


def main() -> None:
    """Register the triggers, then let ClearML tasks fail and complete and models appear, without end."""
    server = os.environ["CLEARML_API_HOST"]
    client = Client(server, os.environ["CLEARML_API_ACCESS_KEY"], os.environ["CLEARML_API_SECRET_KEY"])
    Control(server).agent("default", run_seconds=2)
    base = make_task(client, "notify", project_of(client, "operations"))
    Task.init(project_name="operations", task_name="example triggers", task_type=Task.TaskTypes.service)
    scheduler = TriggerScheduler(pooling_frequency_minutes=1 / 60)
    for status in ("failed", "completed"):
        scheduler.add_task_trigger(
            name=f"on {status}",
            schedule_task_id=base,
            schedule_queue="default",
            trigger_project="vision",
            trigger_on_status=[status],
            task_parameters={"Args/task": "${task.id}"},
        )
    scheduler.add_model_trigger(
        name="on a new model", schedule_task_id=base, schedule_queue="default", trigger_project="vision"
    )
    threading.Thread(target=change, args=(client, project_of(client, "vision")), daemon=True).start()
    scheduler.start()


def project_of(client: Client, name: str) -> str:
    """The id of a project, made when it is missing."""
    found = client.call("projects.get_all", {"name": f"^{name}$"})["projects"]
    return str(found[0]["id"] if found else client.call("projects.create", {"name": name})["id"])


def make_task(client: Client, name: str, project: str) -> str:
    """A draft."""
    body: dict[str, Any] = {"name": name, "type": "training", "project": project}
    return str(client.call("tasks.create", body)["id"])


def change(client: Client, project: str) -> None:
    """One change every few seconds."""
    for number, end in enumerate(itertools.cycle(("failed", "completed", "model"))):
        time.sleep(PAUSE_SECONDS)
        if end == "model":
            body = {"uri": f"file:///models/{number}", "name": f"model {number}", "project": project}
            client.call("models.create", body)
            continue
        task = make_task(client, f"training {number}", project)
        client.call("tasks.started", {"task": task})
        client.call(f"tasks.{end}", {"task": task})


if __name__ == "__main__":
    main()
