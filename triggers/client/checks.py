"""What a registration can tell in advance: what the server does not have, and triggers that fire for everything."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triggers.base.meant import meant
from triggers.base.plural import SHOWN_AT_MOST
from triggers.clearml_api import Api, launches
from triggers.clearml_api.names import find_projects, known_names, known_tags
from triggers.model import Trigger
from triggers.model.action import Need
from triggers.model.fields import declared
from triggers.model.server_names import problem_of_name, problem_of_project
from triggers.model.trigger import ScheduleTrigger
from triggers.rules.schedules import calendar_for
from triggers.rules.schedules.long_steps import long_steps

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


class WithoutTimes(UserWarning):
    """A schedule has no time to come and never runs again."""


class LongStep(UserWarning):
    """A step of a cron expression is longer than its field, so that it runs more often than it seems to say."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Something that a trigger names and the server does not have. `may_come`: nothing fails because of it."""

    text: str
    may_come: bool = False


def warn_of_missing(api: Api, triggers: Iterable[Trigger]) -> None:
    """Warn of every project, queue and base task that is missing now, and of triggers that never fire or always do."""
    triggers = list(triggers)
    _warn(over(triggers, int(time.time() * 1000)), WithoutTimes)
    _warn(too_often(triggers), LongStep)
    _warn(unconditional(triggers), WithoutCondition)
    _warn(missing(api, triggers), MissingOnServer)


def _warn(texts: Sequence[str], category: type[UserWarning]) -> None:
    for text in texts[:SHOWN_AT_MOST]:
        warnings.warn(text, category, stacklevel=3)
    if (more := len(texts) - SHOWN_AT_MOST) > 0:
        warnings.warn(f"{more:,} more warnings like the last", category, stacklevel=3)


def unconditional(triggers: Iterable[Trigger]) -> list[str]:
    """A line for each trigger that has no condition at all."""
    return [
        f"{trigger.called} has no condition: it fires for every {trigger.kind} that changes; "
        "give it trigger_project, trigger_on_tags or another condition"
        for trigger in triggers
        if not any(getattr(trigger, name) for name in declared(type(trigger)))
    ]


def over(triggers: Iterable[Trigger], now_ms: int) -> list[str]:
    """A line for each schedule all of whose times are over."""
    return [
        f"{trigger.called} has no time to come ({trigger.when}): it does not run; give it other times, or remove it"
        for trigger in triggers
        if isinstance(trigger, ScheduleTrigger)
        and not trigger.execute_immediately
        and calendar_for(trigger, now_ms).after(now_ms) is None
    ]


def too_often(triggers: Iterable[Trigger]) -> list[str]:
    """A line for each step of a cron expression that is longer than its field."""
    return [
        f"{trigger.called} has a step of {step} in the field {field!r} of cron={trigger.cron!r}, which has fewer "
        "values: only the first one counts" + (f"; to run at that distance give every={every!r}" if every else "")
        for trigger in triggers
        if isinstance(trigger, ScheduleTrigger) and trigger.cron
        for field, step, every in long_steps(trigger.cron)
    ]


def missing(api: Api, triggers: Iterable[Trigger]) -> list[str]:
    """The warnings, one line each."""
    return [one.text for one in lacking(api, triggers)]


def lacking(api: Api, triggers: Iterable[Trigger]) -> list[Lacking]:
    """What is missing now. Asks once for many projects, for each queue, and for all names where one is unknown."""
    triggers = list(triggers)
    needs = {trigger.id: trigger.action.needs() for trigger in triggers}
    named = {(need.what, need.name) for of_trigger in needs.values() for need in of_trigger}
    bases = launches.read_statuses(api, {name for what, name in named if what == "base task"})
    queues = {name for what, name in named if what == "queue"}
    projects = {t.trigger_project for t in triggers if t.trigger_project}
    # a project to launch into is made; only one that cannot be is of interest
    projects |= {name for what, name in named if what == "project" and problem_of_project(name)}
    no_queues = {queue for queue in queues if launches.find_queue(api, queue) is None}
    no_projects = projects - set(find_projects(api, sorted(projects)))
    near_queues = known_names(api, "queues") if no_queues else []
    near_projects = known_names(api, "projects") if no_projects else []
    found = []
    for trigger in triggers:
        project = trigger.trigger_project
        if project in no_projects:
            found.append(_project(trigger, str(project), near_projects))
        for need in needs[trigger.id]:
            if need.what == "base task" and need.name not in bases:
                found.append(_base_task(trigger, need))
            if need.what == "queue" and need.name in no_queues:
                found.append(_queue(trigger, need, near_queues))
            if need.what == "project" and need.name in no_projects:
                found += _to_make(trigger, need, near_projects)
    return found + _misspelt_tags(api, triggers)


def _misspelt_tags(api: Api, triggers: Sequence[Trigger]) -> list[Lacking]:
    """Tags that no object has, if one that objects have is spelled alike: any other may be new. One request."""
    named = [(t, field, tag) for t in triggers for field in _TAGLESS for tag in getattr(t, field) or ()]
    known = set(known_tags(api)) if named else set()
    return [
        Lacking(f"{trigger.called}: no object has the tag {tag!r} of {field}: {_TAGLESS[field]}{near}", may_come=True)
        for trigger, field, tag in named
        if tag not in known and (near := meant(tag, known))
    ]


def _project(trigger: Trigger, project: str, known: list[str]) -> Lacking:
    said = f"{trigger.called}: trigger_project={project!r} is not on the server: nothing matches"
    if problem := problem_of_project(project):
        return Lacking(f"{said}, and {problem}{meant(project, known)}")
    return Lacking(f"{said} until a project of that name is created{meant(project, known)}", may_come=True)


def _base_task(trigger: Trigger, need: Need) -> Lacking:
    text = f"{need.argument}={need.name!r} is not on the server: every firing becomes a dead letter"
    return Lacking(f"{trigger.called}: {text} until it is")


def _to_make(trigger: Trigger, need: Need, known: list[str]) -> list[Lacking]:
    """Nothing where the project can be made."""
    problem = problem_of_project(need.name)
    text = f"{need.argument}={need.name!r} cannot be made: {problem}; every firing becomes a dead letter"
    return [Lacking(f"{trigger.called}: {text}{meant(need.name, known)}")] if problem else []


def _queue(trigger: Trigger, need: Need, known: list[str]) -> Lacking:
    queue = need.name
    said = f"{trigger.called}: {need.argument}={queue!r} is not on the server"
    if problem := problem_of_name(queue):
        return Lacking(f"{said}, and {problem}: every firing becomes a dead letter{meant(queue, known)}")
    then = "launches are retried until it is created, and become dead letters after the last attempt"
    return Lacking(f"{said}: {then}{meant(queue, known)}")
