"""The service task: the ClearML task that stands for a scheduler. The one place that needs the SDK's `Task`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triggers.clearml_api import Api
from triggers.events import milliseconds

#: Where the original puts its service task.
DEFAULT_PROJECT, DEFAULT_NAME = "DevOps", "Scheduler"


@dataclass(frozen=True, slots=True)
class ServiceTask:
    """Id and identity of the service task; `handle` is the SDK's object."""

    id: str
    project: str
    name: str
    handle: Any


def obtain(name: str | None, project: str | None) -> ServiceTask:
    """The current ClearML task of this process, or a service task made as the original makes it.

    Args:
        name: force a service task of this name even if there is a current task.
        project: its project.
    """
    from clearml import Task  # a second to import: only where a scheduler is started

    task = None if name else Task.current_task()
    if task is None:
        # The SDK would fork a process for reporting, which outlives a killed parent by up to 30 s and doubles
        # its memory; a scheduler reports little, so that threads do. Only for a task of our own making.
        Task._report_subprocess_enabled = False
        task = Task.init(
            project_name=project or DEFAULT_PROJECT,
            task_name=name or DEFAULT_NAME,
            task_type=Task.TaskTypes.service,
            auto_resource_monitoring=False,
        )
    return ServiceTask(task.id, task.get_project_name() or "", task.name, task)


def server_now_ms(api: Api, task_id: str) -> int:
    """The server's time now: the `last_change` of a write of our own. Two requests."""
    api.call("tasks.ping", {"task": task_id})
    answer = api.call("tasks.get_all", {"id": [task_id], "only_fields": ["last_change"]})
    return milliseconds(answer.data["tasks"][0]["last_change"])
