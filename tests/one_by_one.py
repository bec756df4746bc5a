"""Running a script for several as so many single calls: where a test stops, kills or loses replies, between them too.

What runs in one trip can be cut off anywhere in it; one after the other all of these states can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triggers.base.errors import EpochChanged, Fenced
from triggers.ledger.store import ScriptCall, Store


def run_together(store: Store, calls: Sequence[ScriptCall]) -> list[Any]:
    """What `Store.run_together` answers, by way of `run`."""
    answers: list[Any] = []
    for script, keys, arguments in calls:
        try:
            answers.append(store.run(script, keys, *arguments))
        except EpochChanged:
            raise
        except Fenced as refusal:
            answers.append(refusal)
    return answers
