"""Which names the ClearML server takes for what it is to make, and which known name was perhaps meant. Pure."""

from __future__ import annotations

from typing import Final

from triggers.base.meant import meant

__all__ = ["SHORTEST", "meant", "problem_of_name", "problem_of_project"]

#: Fewest characters of the name of a task, model or queue, and of each part of a project's name.
SHORTEST: Final = 3


def problem_of_name(name: str) -> str:
    """Why the server makes no task, model or queue of this name, "" when it does; blanks around it do not count."""
    return "" if len(name.strip()) >= SHORTEST else f"the server makes none whose name is shorter than {SHORTEST}"


def problem_of_project(name: str) -> str:
    """Why the server makes no project of this full name, "" when it does. Before 2.0 only the whole name counted."""
    short = [part.strip() for part in name.split("/") if part and len(part.strip()) < SHORTEST]
    if not short and name.strip("/ "):
        return ""
    part = repr(short[0]) if short else "it"
    return f"the server makes none with a part that is shorter than {SHORTEST}, and {part} is"
