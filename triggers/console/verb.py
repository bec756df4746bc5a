"""What a change from a page consists of: what it does, and what is asked before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from triggers.base.errors import Usage
from triggers.console.request import Asked
from triggers.ledger.registry.registry import Entry


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before: a sentence, what it is about, line by line, and lines of a difference with their signs."""

    words: str
    lines: tuple[str, ...] = ()
    diff: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ConsoleVerb:
    """One change.

    Attributes:
        label: What its button says.
        do: Carries it out; what it brought, as a sentence.
        question: What is asked before; None where it can be undone.
        again: The form as it was sent, with what is wrong with it; None for the page of all errors.
    """

    label: str
    do: Callable[[Asked], str]
    question: Callable[[Asked], Question | None] = lambda _: None
    again: Callable[[Asked, str], Response | None] = lambda _asked, _wrong: None


def entries_of(asked: Asked) -> list[Entry]:
    """The triggers that a form names.

    Raises:
        Usage: it names none, or one that there is not.
    """
    names = asked.form.get("trigger", [])
    if not names:
        raise Usage("choose a trigger first")
    return [asked.scheduler.target.entry(name) for name in names]
