"""For users' own tests: what would a scheduler do? No server, no Redis; the very functions that decide in production.

`check` asks about one described object, `Simulation` about changes one after the other, `launch` what the
launched ClearML task would be given. What depends on other runs (`single_instance`, pace, pauses) is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from triggers.actions.launching.request import launch_request
from triggers.base.errors import Usage
from triggers.base.meant import meant
from triggers.client.declaration import Declaration
from triggers.model import Trigger
from triggers.model.events import ARCHIVED, DEVELOPMENT, LISTS, Event, Metric, metric_key, milliseconds
from triggers.model.kinds import Kind
from triggers.model.launch_request import BASE_FIELDS, LaunchRequest
from triggers.model.launch_tags import LaunchTags
from triggers.model.values import STATUSES
from triggers.rules.conditions import Clause, Verdict, evaluate
from triggers.rules.policies import Mark, decide

__all__ = ["Clause", "Fired", "Outcome", "Simulation", "check", "dataset", "launch", "model", "schedule", "task"]

#: One metric as a test describes it: its only value, or (latest, minimum, maximum).
Number = float | tuple[float, float, float]
_MS_PER_MINUTE: Final = 60_000
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Declares(Protocol):
    """What holds triggers: a `TriggerScheduler`."""

    @property
    def declarations(self) -> Sequence[Declaration]:
        """The triggers declared so far."""


# ---- describing objects ---------------------------------------------------------------------------------
def model(
    name: str = "model",
    *,
    id: str = "model-1",
    project: str = "",
    tags: Iterable[str] = (),
    users: Iterable[str] = (),
    published: bool = False,
    archived: bool = False,
    task: str = "",
) -> Event:
    """Describe a model.

    Args:
        name: its name.
        id: its id.
        project: full name of its project.
        tags: its tags.
        users: ids and names of who made it and who changed it last; see `trigger_on_user`.
        published: whether it is published.
        archived: whether it is in the archive.
        task: id of the ClearML task that made it.
    """
    system_tags = [ARCHIVED] * archived
    return _event(
        "model", id, name, project, tags=tags, users=users, system_tags=system_tags, ready=published, task=task
    )


def dataset(
    name: str = "dataset",
    *,
    id: str = "dataset-1",
    project: str = "",
    tags: Iterable[str] = (),
    users: Iterable[str] = (),
    status: str = "completed",
    archived: bool = False,
) -> Event:
    """Describe a dataset version, a finalized one unless `status` says otherwise.

    Args:
        name: name of the dataset.
        id: id of the version.
        project: full name of the dataset's project.
        tags: its tags.
        users: ids and names of who made it and who changed it last; see `trigger_on_user`.
        status: one of the SDK's TaskStatusEnum.
        archived: whether it is in the archive.

    Raises:
        Usage: there is no such status.
    """
    hidden = f"{project}/.datasets/{name}".lstrip("/")
    system_tags = ["dataset", *[ARCHIVED] * archived]
    return _event(
        "dataset",
        id,
        name,
        hidden,
        tags=tags,
        users=users,
        system_tags=system_tags,
        status=_status(status),
        type="data_processing",
    )


def task(
    name: str = "task",
    *,
    id: str = "task-1",
    project: str = "",
    tags: Iterable[str] = (),
    users: Iterable[str] = (),
    status: str = "created",
    type: str = "training",
    metrics: Mapping[tuple[str, str], Number] | None = None,
    archived: bool = False,
    development: bool = False,
) -> Event:
    """Describe a ClearML task.

    Args:
        name: its name.
        id: its id.
        project: full name of its project.
        tags: its tags.
        users: ids and names of who made it and who changed it last; see `trigger_on_user`.
        status: one of the SDK's TaskStatusEnum.
        type: its type.
        metrics: {("loss", "validation"): 0.3}, or (latest, minimum, maximum) instead of one value.
        archived: in the archive.
        development: run by hand and not by an agent; see `trigger_exclude_dev_tasks`.

    Raises:
        Usage: there is no such status.
    """
    system_tags = [ARCHIVED] * archived + [DEVELOPMENT] * development
    values = {metric_key(*names): _metric(value) for names, value in (metrics or {}).items()}
    return _event(
        "task",
        id,
        name,
        project,
        tags=tags,
        users=users,
        system_tags=system_tags,
        status=_status(status),
        type=type,
        metrics=values,
    )


def schedule(name: str = "schedule", *, id: str = "2026-01-01T06:00:00Z", at: str = "") -> Event:
    """Describe a time of a schedule.

    Args:
        name: name of the schedule.
        id: the time in UTC, in ISO 8601 with `Z`.
        at: the same as local time with its offset; "" means as `id`.
    """
    return _event("schedule", id, name, "", at=at or id)


def _event(kind: Kind, id_: str, name: str, project: str, **fields: Any) -> Event:
    for argument, value in fields.items():
        if argument in LISTS:
            if isinstance(value, str):
                raise Usage(f"{argument}={value!r}: give a list of strings")
            fields[argument] = tuple(value)
    return Event(kind, id_, 0, name, project, **fields)


def _status(status: str) -> str:
    if status not in STATUSES:
        raise Usage(f"status={status!r}: a status is one of {', '.join(STATUSES)}{meant(status, STATUSES)}")
    return status


def _metric(value: Number) -> Metric:
    latest, least, most = value if isinstance(value, tuple) else (value, value, value)
    return Metric(latest, min_value=least, max_value=most)


# ---- one look -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Outcome:
    """The decision of every trigger on one object, by name ("kind:name" where two kinds share a name)."""

    verdicts: Mapping[str, Verdict]

    @property
    def fires(self) -> list[str]:
        """The triggers whose condition the object satisfies."""
        return [name for name, verdict in self.verdicts.items() if verdict.matched]

    def failed(self, trigger: str) -> list[str]:
        """The arguments of a trigger that kept it from firing, such as "trigger_on_tags".

        Args:
            trigger: its name.

        Raises:
            Usage: there is no such trigger.
        """
        return [clause.name for clause in self._verdict(trigger).failed]

    def why(self, trigger: str) -> str:
        """The decision of one trigger in words, a line for each part of its condition.

        Args:
            trigger: its name.

        Raises:
            Usage: there is no such trigger.
        """
        return "\n".join(
            f"{'yes' if clause.holds else 'NO ':3} {clause.name}: wanted {clause.wanted}; found {clause.found}"
            for clause in self._verdict(trigger).clauses
        )

    def _verdict(self, trigger: str) -> Verdict:
        if trigger not in self.verdicts:
            near = meant(trigger, self.verdicts)
            raise Usage(f"no trigger {trigger!r}; there are {', '.join(map(repr, self.verdicts)) or 'none'}{near}")
        return self.verdicts[trigger]


def check(scheduler: Declares, changed: Event) -> Outcome:
    """Decide for each trigger of a scheduler whether a change of this object satisfies its condition.

    Triggers of another kind than the object are in it too and say so.

    Args:
        scheduler: holds the triggers.
        changed: the object as it is after the change.
    """
    return Outcome({name: evaluate(trigger, changed) for name, trigger in _named(scheduler).items()})


def _named(scheduler: Declares) -> dict[str, Trigger]:
    triggers = [each.trigger for each in scheduler.declarations]
    often = Counter(trigger.name for trigger in triggers)
    return {trigger.name if often[trigger.name] == 1 else trigger.id: trigger for trigger in triggers}


# ---- one look after the other ---------------------------------------------------------------------------
@dataclass(frozen=True)
class Fired:
    """A firing.

    Attributes:
        trigger: name of the trigger.
        object: id of the object.
        occurrence: counts the firings of one trigger for one object, from 1.
    """

    trigger: str
    object: str
    occurrence: int


@dataclass
class Simulation:
    """A scheduler that remembers, so that `fire` and `cooldown_minutes` count. Each `see` is one change.

    Args:
        scheduler: holds the triggers.
    """

    scheduler: Declares
    _marks: dict[tuple[str, str], Mark] = field(default_factory=dict, init=False)
    _last_ms: int = field(default=milliseconds(_START.isoformat()) - 1, init=False)

    def see(self, changed: Event, at: datetime | str | None = None) -> list[Fired]:
        """Show a change; which triggers fire for it.

        Args:
            changed: the object as it is after the change. Its `id` says which object it is.
            at: when it changed, an aware datetime or ISO text; a millisecond after the last change if not given.

        Raises:
            Usage: the time is not after that of the change before; the server's times only go on.
        """
        now_ms = self._last_ms + 1 if at is None else milliseconds(at if isinstance(at, str) else at.isoformat())
        if now_ms <= self._last_ms:
            raise Usage(f"at={at!r}: give a time after that of the change before")
        self._last_ms = now_ms
        changed = replace(changed, changed_ms=now_ms)
        fired = (self._decide(name, trigger, changed) for name, trigger in _named(self.scheduler).items())
        return [one for one in fired if one]

    def wait(self, **duration: float) -> None:
        """Let time pass until the next change.

        Args:
            duration: what `timedelta` takes, such as minutes=5.
        """
        self._last_ms += timedelta(**duration) // timedelta(milliseconds=1) - 1

    def _decide(self, name: str, trigger: Trigger, changed: Event) -> Fired | None:
        policy, pair = trigger.policy, (trigger.id, changed.id)
        decision = decide(
            policy.fire,
            int(policy.cooldown_minutes * _MS_PER_MINUTE),
            self._marks.get(pair, Mark()),
            matched=evaluate(trigger, changed).matched,
            changed_ms=changed.changed_ms,
        )
        self._marks[pair] = decision.mark
        return None if decision.occurrence is None else Fired(name, changed.id, decision.occurrence)


# ---- what would be launched -----------------------------------------------------------------------------
def launch(scheduler: Declares, trigger: str, changed: Event, base: Mapping[str, Any] | None = None) -> LaunchRequest:
    """Write the calls that a firing of this trigger for this object would make: bodies of tasks.clone and tasks.edit.

    Args:
        scheduler: holds the trigger.
        trigger: its name.
        changed: the object that fires it.
        base: the base task as `tasks.get_all` returns it, or the parts that matter ("hyperparams", "tags", ...).

    Raises:
        LaunchImpossible: the trigger calls a function.
        Usage: there is no such trigger for objects of this kind, or `base` has what is never read.
    """
    found = _named(scheduler).get(trigger)
    if found is None or not changed.concerns(found.kind):
        raise Usage(f"no trigger {trigger!r} that looks at a {changed.kind}")
    body = {"id": "base", "name": "base task", "status": "completed", **(base or {})}
    unread = ", ".join(sorted(set(body) - {name.partition(".")[0] for name in BASE_FIELDS}))
    if unread:
        raise Usage(f"base: {unread} of the base task is never read")
    return launch_request(found, changed, body, LaunchTags.of("scheduler", "firing", "attempt"), None)
