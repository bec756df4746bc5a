"""Which names the ClearML server takes for what it is to make, and which known name was perhaps meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Final

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


def meant(name: str, known: Collection[str]) -> str:
    """`; did you mean '...'?` with the known name most like one that is unknown, "" if none is."""
    by_small = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), by_small, n=1, cutoff=0.75)
    return f"; did you mean {by_small[close[0]]!r}?" if close else ""
