"""Commands that messages tell people to run, as they stand in a sentence."""

from __future__ import annotations

from triggers.base import escaping


def command(verb: str, *names: str) -> str:
    """A command of this program in backquotes, which can be pasted whatever the names hold."""
    return f"`{escaping.command(verb, *names)}`"
