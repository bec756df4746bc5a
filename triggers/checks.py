"""What a registration can tell in advance: projects, queues and base tasks that the server does not have."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from triggers.clearml_api import Api, launches
from triggers.spec import TaskAction, Trigger


class MissingOnServer(UserWarning):
    """A trigger names something that the ClearML server does not have; says what will happen."""


def warn_of_missing(api: Api, triggers: Iterable[Trigger]) -> None:
    """Warn of every project, queue and base task that is missing now. Asks once for each name."""
    for text in missing(api, triggers):
        warnings.warn(text, MissingOnServer, stacklevel=2)


def missing(api: Api, triggers: Iterable[Trigger]) -> list[str]:
    """The warnings, one line each."""
    triggers = list(triggers)
    actions = {t.id: t.action for t in triggers if isinstance(t.action, TaskAction)}
    bases = launches.read_statuses(api, {a.base_task_id for a in actions.values() if a.base_task_id})
    queues = {q: launches.find_queue(api, q) for q in {a.queue for a in actions.values() if a.queue}}
    projects = {p: launches.find_project(api, p) for p in {t.trigger_project for t in triggers if t.trigger_project}}
    found = []
    for trigger in triggers:
        project, action = trigger.trigger_project, actions.get(trigger.id)
        if project and projects[project] is None:
            found.append(
                f"trigger {trigger.name!r}: trigger_project={project!r} is not on the server: "
                "nothing matches until a project of that name is created"
            )
        if action and action.base_task_id and action.base_task_id not in bases:
            found.append(
                f"trigger {trigger.name!r}: schedule_task_id={action.base_task_id!r} is not on the server: "
                "every firing becomes a dead letter until it is"
            )
        if action and action.queue and queues[action.queue] is None:
            found.append(
                f"trigger {trigger.name!r}: schedule_queue={action.queue!r} is not on the server: "
                "launches are retried until it is created, and become dead letters after the last attempt"
            )
    return found
