"""Running a script for several as so many single calls: where a test stops, kills or loses replies, between them too.

What runs in one trip can be cut off anywhere in it; one after the other all of these states can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triggers.base.errors import EpochChanged, Fenced
from triggers.ledger.store import Call, Script, Store


def run_each(store: Store, script: Script, calls: Sequence[Call]) -> list[Any]:
    """What `Store.run_each` answers, by way of `run`."""
    answers: list[Any] = []
    for keys, arguments in calls:
        try:
            answers.append(store.run(script, keys, *arguments))
        except EpochChanged:
            raise
        except Fenced as refusal:
            answers.append(refusal)
    return answers
