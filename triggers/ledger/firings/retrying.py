"""Firings that did not launch at once: those that fail and are tried again, now if asked; how many are held or dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from triggers.base import forms
from triggers.ledger.firings.firing import DIGEST_LENGTH
from triggers.ledger.firings.lines import score_of
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store, run_by_parts
from triggers.model.action import LANES

FAILING, RETRY_NOW, STANDING = Script("failing"), Script("retry_now"), Script("standing")

#: Firings of a lane that are looked at.
LOOKED_AT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Failing:
    """A firing that failed at least once and waits for its next attempt at `due_ms`, or has it now (`in_hand`).

    `action`: of a part, what it keeps of its action.
    """

    key: str
    trigger: str
    kind: str
    object: str
    failures: int
    reason: str
    due_ms: int
    in_hand: bool
    action: str = ""


class Retrying:
    """The failing firings of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def failing(self) -> list[Failing]:
        """All of them, the next attempt first."""
        names = [self.keys.due(lane) for lane in LANES]
        rows = self.store.run(FAILING, names, self.keys.firing(""), LOOKED_AT)
        found = [
            Failing(
                key, trigger, kind, object_id, forms.number(failures), reason, score_of(float(due)), bool(lease), action
            )
            for key, due, trigger, kind, object_id, failures, reason, lease, action in rows
        ]
        return sorted(found, key=lambda one: (one.due_ms, one.key))

    def held_and_dead(self, holds: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
        """How many firings are held, and how many are dead letters, by the digest that keys of a trigger begin with."""
        names = [self.keys.dead, *map(self.keys.held, holds)]
        counts = [
            Counter(dict(zip(flat[::2], map(int, flat[1::2]), strict=True)))
            for flat in self.store.run(STANDING, names, DIGEST_LENGTH)
        ]
        return sum(counts[1:], Counter()), counts[0]

    def retry_now(self, keys: Sequence[str]) -> int:
        """Make the next attempt of these firings due now; how many waited. Safe to repeat."""
        prefix = self.keys.firing("")
        return sum(run_by_parts(self.store, RETRY_NOW, [self.keys.due(lane)], (prefix,), keys) for lane in LANES)
