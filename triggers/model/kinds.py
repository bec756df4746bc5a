"""The kinds of object that triggers are for: one row each, and nothing else lists them.

A kind is what a trigger says it is for, and what an event says it is of. Which source reads it is `sources`' to say,
the fields of its condition are those of its class in `trigger`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from triggers.base.errors import InvalidTrigger
from triggers.base.meant import meant

#: A key of `KINDS`.
Kind = str

#: Characters of a trigger's name, at most.
_LONGEST_NAME: Final = 2000

_CLEARML_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KindOfObject:
    """One kind.

    Attributes:
        plural: What several of them are called.
        section: As the configuration section of its triggers is named; "": as several of them are called.
        call: The method of `TriggerScheduler` that declares one; "": `add_<kind>_trigger`.
        by_redis_clock: Its triggers count from Redis' time on, and not from the ClearML server's.
        also: Other kinds whose triggers look at such an object, too.
        page: Its page in ClearML's web application, behind `/projects/*/`; "" if it has none.
        page_of_original: The same as the original's tables link it.
        ids: The form of the ids that its source gives; what comes from Redis and has another is refused.
        noun: What texts call one of its triggers.
        called: What texts call one of its objects; "": as the kind.
    """

    plural: str
    also: tuple[Kind, ...] = ()
    page: str = ""
    page_of_original: str = ""
    ids: re.Pattern[str] = _CLEARML_ID
    section: str = ""
    call: str = ""
    by_redis_clock: bool = False
    noun: str = "trigger"
    called: str = ""


#: By name, in the order in which they are shown. A dataset is a ClearML task with the system tag "dataset".
KINDS: Final[dict[Kind, KindOfObject]] = {
    "model": KindOfObject(
        "models",
        page="models/{id}/general",
        page_of_original="models/{id}/general",
    ),
    "dataset": KindOfObject(
        "datasets",
        also=("task",),
        page="experiments/{id}/execution",
        page_of_original="tasks/{id}/output/log",
    ),
    "task": KindOfObject(
        "tasks",
        called="ClearML task",
        page="experiments/{id}/output/log",
        page_of_original="tasks/{id}/output/log",
    ),
    # its ids are nominal times, and the two that are none of a calendar (`schedule_fields`)
    "schedule": KindOfObject(
        "schedules",
        ids=re.compile(r"immediately|once|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", re.ASCII),
        section="schedule",
        call="add_schedule",
        by_redis_clock=True,
        noun="schedule",
    ),
}


def call_of(kind: Kind) -> str:
    """Name the method of `TriggerScheduler` that declares a trigger of a kind."""
    return KINDS[kind].call or f"add_{kind}_trigger"


def noun_of(kind: str) -> str:
    """Name a trigger of a kind in texts: "trigger", or "schedule"."""
    return KINDS[kind].noun if kind in KINDS else "trigger"


def noun_of_id(trigger_id: str) -> str:
    """Name the trigger that an id is of."""
    return noun_of(trigger_id.partition(":")[0])


def phrase_of(kind: str) -> str:
    """Name a trigger together with its kind: "model trigger", or "schedule"."""
    noun = noun_of(kind)
    return noun if noun == kind else f"{kind} {noun}"


def object_noun(kind: str) -> str:
    """Name an object of a kind in texts: "model", or "ClearML task"."""
    return KINDS[kind].called or kind if kind in KINDS else "object"


@contextmanager
def named_as(kind: str) -> Iterator[None]:
    """Let errors about the arguments of a trigger of a kind name it as texts do."""
    try:
        yield
    except InvalidTrigger as error:
        error.noun = noun_of(kind)
        raise


def concerned(kind: Kind) -> tuple[Kind, ...]:
    """Give the kinds whose triggers look at an object of a kind."""
    return (kind, *KINDS[kind].also)


def one_of_them(given: object) -> str:
    """Name them for an error about another: "one of model, dataset, task, schedule; did you mean 'task'?"."""
    return f"one of {', '.join(KINDS)}{meant(given, KINDS)}"


def is_subject(kind: str, text: object) -> bool:
    """Tell whether a text has the form of the ids of a kind, such as that of a ClearML task."""
    return isinstance(text, str) and kind in KINDS and KINDS[kind].ids.fullmatch(text) is not None


def is_trigger(text: object) -> bool:
    """Tell whether a text has the form of a trigger's id: its kind, a colon, its name."""
    kind, colon, name = text.partition(":") if isinstance(text, str) else ("", "", "")
    return kind in KINDS and bool(colon) and 0 < len(name) <= _LONGEST_NAME
