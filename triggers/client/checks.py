"""What a registration can tell in advance: what the server does not have, and triggers that fire for everything."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triggers.clearml_api import Api, launches
from triggers.clearml_api.names import known_names, known_tags
from triggers.model import TaskAction, Trigger
from triggers.model.fields import declared
from triggers.model.server_names import meant, problem_of_name, problem_of_project

#: What a tag that no object has does, by the field that names it.
_TAGLESS = {
    "trigger_on_tags": "nothing matches until an object has it",
    "trigger_required_tags": "nothing matches until an object has it",
    "trigger_on_any_tags": "it matches nothing until an object has it",
    "trigger_exclude_tags": "it excludes nothing until an object has it",
}


class MissingOnServer(UserWarning):
    """A trigger names something that the ClearML server does not have; says what will happen."""


class WithoutCondition(UserWarning):
    """A trigger has no condition and fires for every object of its kind."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Something that a trigger names and the server does not have. `may_come`: nothing fails because of it."""

    text: str
    may_come: bool = False


def warn_of_missing(api: Api, triggers: Iterable[Trigger]) -> None:
    """Warn of every project, queue and base task that is missing now, and of triggers without a condition."""
    triggers = list(triggers)
    for text in unconditional(triggers):
        warnings.warn(text, WithoutCondition, stacklevel=2)
    for text in missing(api, triggers):
        warnings.warn(text, MissingOnServer, stacklevel=2)


def unconditional(triggers: Iterable[Trigger]) -> list[str]:
    """A line for each trigger that has no condition at all."""
    return [
        f"trigger {trigger.name!r} has no condition: it fires for every {trigger.kind} that changes; "
        "give it trigger_project, trigger_on_tags or another condition"
        for trigger in triggers
        if not any(getattr(trigger, name) for name in declared(type(trigger)))
    ]


def missing(api: Api, triggers: Iterable[Trigger]) -> list[str]:
    """The warnings, one line each."""
    return [one.text for one in lacking(api, triggers)]


def lacking(api: Api, triggers: Iterable[Trigger]) -> list[Lacking]:
    """What is missing now. Asks once for each name, and once for all names where one is unknown."""
    triggers = list(triggers)
    actions = {t.id: t.action for t in triggers if isinstance(t.action, TaskAction)}
    bases = launches.read_statuses(api, {a.base_task_id for a in actions.values() if a.base_task_id})
    queues = {a.queue for a in actions.values() if a.queue}
    projects = {t.trigger_project for t in triggers if t.trigger_project}
    # a project to launch into is made; only one that cannot be is of interest
    projects |= {
        a.target_project for a in actions.values() if a.target_project and problem_of_project(a.target_project)
    }
    no_queues = {queue for queue in queues if launches.find_queue(api, queue) is None}
    no_projects = {project for project in projects if launches.find_project(api, project) is None}
    near_queues = known_names(api, "queues") if no_queues else []
    near_projects = known_names(api, "projects") if no_projects else []
    found = []
    for trigger in triggers:
        project, action = trigger.trigger_project, actions.get(trigger.id)
        if project in no_projects:
            found.append(_project(trigger.name, str(project), near_projects))
        if action and action.base_task_id and action.base_task_id not in bases:
            text = f"schedule_task_id={action.base_task_id!r} is not on the server: every firing becomes a dead letter"
            found.append(Lacking(f"trigger {trigger.name!r}: {text} until it is"))
        if action and action.queue in no_queues:
            found.append(_queue(trigger.name, str(action.queue), near_queues))
        if action and action.target_project in no_projects:
            target = str(action.target_project)
            if problem := problem_of_project(target):
                text = f"target_project={target!r} cannot be made: {problem}; every firing becomes a dead letter"
                found.append(Lacking(f"trigger {trigger.name!r}: {text}{meant(target, near_projects)}"))
    return found + _misspelt_tags(api, triggers)


def _misspelt_tags(api: Api, triggers: Sequence[Trigger]) -> list[Lacking]:
    """Tags that no object has, where there is one that is spelt much alike: any other may well be new. One request."""
    named = [(t.name, field, tag) for t in triggers for field in _TAGLESS for tag in getattr(t, field) or ()]
    known = set(known_tags(api)) if named else set()
    return [
        Lacking(
            f"trigger {trigger!r}: no object has the tag {tag!r} of {field}: {_TAGLESS[field]}{near}", may_come=True
        )
        for trigger, field, tag in named
        if tag not in known and (near := meant(tag, known))
    ]


def _project(trigger: str, project: str, known: list[str]) -> Lacking:
    said = f"trigger {trigger!r}: trigger_project={project!r} is not on the server: nothing matches"
    if problem := problem_of_project(project):
        return Lacking(f"{said}, and {problem}{meant(project, known)}")
    return Lacking(f"{said} until a project of that name is created{meant(project, known)}", may_come=True)


def _queue(trigger: str, queue: str, known: list[str]) -> Lacking:
    said = f"trigger {trigger!r}: schedule_queue={queue!r} is not on the server"
    if problem := problem_of_name(queue):
        return Lacking(f"{said}, and {problem}: every firing becomes a dead letter{meant(queue, known)}")
    then = "launches are retried until it is created, and become dead letters after the last attempt"
    return Lacking(f"{said}: {then}{meant(queue, known)}")
