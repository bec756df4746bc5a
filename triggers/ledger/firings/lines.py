"""Lines: of a list of firings, what stands in the line of its trigger to be taken; `lines.lua` says how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from triggers.ledger.store import Script, ScriptCall, Store

CLAIM, CLAIM_HELD = Script("claim", uses=("lines", "pace")), Script("claim_held", uses=("lines",))

#: By so much the score of what stands in a line is less than it was before, as `lines.lua` has it.
LINED: Final = 10**13

#: Firings of a later release that one claim passes over at most, to find one that this release reads.
PASSED_OVER: Final = 500


def score_of(score: float) -> int:
    """The score of a list, as it is for what stands in no line."""
    return int(score + LINED if score < 0 else score)


def claim(store: Store, call: ScriptCall, before: Sequence[ScriptCall] = ()) -> tuple[str, list[list[str]], list[Any]]:
    """Run a script that takes from lines until it has taken something, or nothing is there to be taken.

    A backlog that stands in no line yet comes to do so some at a time, so that Redis is never busy for long.

    Returns:
        The registry version, of each firing its key, then its fields, flat, and what `before` has answered.
    """
    script, keys, arguments = call
    answers: list[Any] = []
    *answers, answer = store.run_together([*before, call]) if before else [store.run(script, keys, *arguments)]
    while True:
        version, again, *found = answer
        if found or not int(again):
            return version, found, answers
        answer = store.run(script, keys, *arguments)
