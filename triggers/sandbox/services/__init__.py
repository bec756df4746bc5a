"""What each call does; importing this package registers all of them."""

from . import (
    agents,
    clone,
    events,
    models,
    models_edit,
    projects,
    queues,
    server,
    task_artifacts,
    task_delete,
    task_edit,
    task_life,
    task_parts,
    task_queue,
    task_tags,
    tasks,
)

__all__ = [
    "agents",
    "clone",
    "events",
    "models",
    "models_edit",
    "projects",
    "queues",
    "server",
    "task_artifacts",
    "task_delete",
    "task_edit",
    "task_life",
    "task_parts",
    "task_queue",
    "task_tags",
    "tasks",
]
