"""What each call does; importing this package registers all of them.

Owns the effect of a call on the objects, as the recorded server has it. Faults, delays and logins are the application's
around it; lists are `filters`'.
"""

from . import (
    agents,
    clone,
    event_queries,
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
    "event_queries",
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
