"""The kinds of object that triggers are for: one row each, and nothing else lists them.

A kind is what a trigger says it is for, and what an event says it is of. Which source reads it is `sources`' to say,
the fields of its condition are those of its class in `trigger`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: A key of `KINDS`.
Kind = str


@dataclass(frozen=True, slots=True)
class KindOfObject:
    """One kind.

    Attributes:
        plural: As the configuration section of its triggers is named.
        also: Other kinds whose triggers look at such an object, too.
        page: Its page in ClearML's web application, behind `/projects/*/`; "" if it has none.
        page_of_original: The same as the original's tables link it.
    """

    plural: str
    also: tuple[Kind, ...] = ()
    page: str = ""
    page_of_original: str = ""


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
        page="experiments/{id}/output/log",
        page_of_original="tasks/{id}/output/log",
    ),
}


def concerned(kind: Kind) -> tuple[Kind, ...]:
    """Give the kinds whose triggers look at an object of a kind."""
    return (kind, *KINDS[kind].also)


def one_of_them() -> str:
    """Name them for an error: "one of model, dataset, task"."""
    return f"one of {', '.join(KINDS)}"
