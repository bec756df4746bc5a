"""The `Args` sections of the calls that add triggers, made from the fields: `python -m tests.docstrings` writes them.

A new argument gets its text by the description of its field, its type and default by the signature of the call.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from triggers import TaskScheduler, TriggerScheduler
from triggers.client import argument_types
from triggers.model.described import description
from triggers.model.kinds import KINDS, Kind, call_of

WIDTH = 120
#: Arguments by another name than that of the field's call.
RENAMED = {"queue": "schedule_queue"}
SECTION = re.compile(r"(?<=\n        Args:\n)(?: {12}.*\n)*(?=\n        Returns:\n)")


def calls() -> dict[str, tuple[Kind, Callable[..., Any]]]:
    """Name → the kind of trigger that it adds, and the call."""
    found = {call_of(kind): (kind, getattr(TriggerScheduler, call_of(kind))) for kind in KINDS}
    return {**found, "add_task": ("schedule", TaskScheduler.add_task)}


def section(name: str) -> str:
    """The lines below `Args:`."""
    kind, call = calls()[name]
    parameters = inspect.signature(call).parameters
    return "".join(entry(kind, one) for name, one in parameters.items() if name != "self")


def entry(kind: Kind, parameter: inspect.Parameter) -> str:
    """One argument with type, default and description."""
    of, optional = re.subn(r" \| None$", "", str(parameter.annotation))
    default = "optional" if optional and parameter.default is None else f"default {parameter.default!r}"
    type_ = str(parameter.annotation) if optional and parameter.default is not None else of
    text = f"{parameter.name} ({spelled_out(type_)}, {default}): {of_argument(kind, parameter.name)}"
    first, rest = " " * 12, " " * 16
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) + "\n"


def of_argument(kind: Kind, name: str) -> str:
    """What an argument is for."""
    return description(kind, RENAMED.get(name, name))


def spelled_out(type_: str) -> str:
    """A type with the values of a Literal instead of its name, which `help()` does not explain."""

    def one(match: re.Match[str]) -> str:
        found = getattr(argument_types, match[0], None)
        return " | ".join(map(repr, get_args(found))) if get_origin(found) is Literal else match[0]

    return re.sub(r"^\w+", one, type_)


def files() -> Iterator[tuple[Path, str]]:
    """Each file with a call, and its text as it should be."""
    for name, (_, call) in calls().items():
        path = Path(inspect.getfile(call))
        body = section(name)
        yield path, SECTION.sub(lambda _, body=body: body, path.read_text(), count=1)


def main() -> None:
    """Write what differs."""
    for path, text in files():
        if path.read_text() != text:
            path.write_text(text)
            sys.stderr.write(f"written: {path.name}\n")


if __name__ == "__main__":
    main()
