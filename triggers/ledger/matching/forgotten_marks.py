"""Marks of objects as memory: how many there are, pages of them, and which triggers have had some forgotten.

Which may be forgotten is decided by `rules.forgetting`, by what the ClearML server shows; `stages.budgets` asks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store
from triggers.rules.forgetting import Forgotten
from triggers.rules.policies import Mark

FORGET_MARKS = Script("forget_marks")

#: Marks that one look reads, about, and triggers whose marks it reads at most.
LOOKED_AT: Final = 20_000
TRIGGERS_LOOKED_AT: Final = 200
#: Marks that one script forgets at most, and that one trip reads.
_PER_CALL: Final = 100
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class KeptMark:
    """One mark as it was read."""

    trigger: str
    object: str
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Rounds:
    """How far the rounds of forgetting have come: all processes go on from there.

    Args:
        trigger: whose marks are looked at next; "" to begin with the first.
        cursor: where in them, as HSCAN gives it.
        looked_up: marks that were looked up on the server since the first trigger.
        forgotten: how many of them were forgotten.
        next_ms: no round before that time, by the ledger's clock.
        stuck: a whole pass has forgotten next to nothing although the budget is used up.
    """

    trigger: str = ""
    cursor: int = 0
    looked_up: int = 0
    forgotten: int = 0
    next_ms: int = 0
    stuck: bool = False

    def to_fields(self) -> dict[str, str]:
        """As a hash."""
        return {name: str(int(value) if name != "trigger" else value) for name, value in _fields(self)}

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> Rounds:
        """Read the hash; what cannot be read begins anew."""
        numbers = {name: int(fields[name]) for name in _NUMBERS if fields.get(name, "").isdecimal()}
        stuck = bool(numbers.pop("stuck", 0))
        return cls(trigger=fields.get("trigger", ""), stuck=stuck, **numbers)


_NUMBERS: Final = ("cursor", "looked_up", "forgotten", "next_ms", "stuck")


def _fields(rounds: Rounds) -> list[tuple[str, Any]]:
    return [(name, getattr(rounds, name)) for name in ("trigger", *_NUMBERS)]


class ForgottenMarks:
    """The marks of one scheduler as memory. Any number may forget at once."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def counts(self, triggers: Sequence[str]) -> dict[str, int]:
        """How many marks each of these triggers has; those without any are absent."""
        counts: dict[str, int] = {}
        for start in range(0, len(triggers), _PAGE):
            some = triggers[start : start + _PAGE]
            with self.store.client.pipeline(transaction=False) as pipe:
                for trigger in some:
                    pipe.hlen(self.keys.marks(trigger))
                counts |= {id_: int(count) for id_, count in zip(some, pipe.execute(), strict=True) if count}
        return counts

    def used_bytes(self) -> int:
        """What all of Redis takes: marks take no more."""
        info: Any = self.store.client.info("memory")
        return int(info.get("used_memory", 0))

    def rounds(self) -> Rounds:
        """How far the rounds have come."""
        return Rounds.from_fields(self.store.client.hgetall(self.keys.forgetting))  # type: ignore[arg-type]

    def note(self, rounds: Rounds) -> None:
        """Write that down. Of two who do, either will do."""
        self.store.client.hset(self.keys.forgetting, mapping=rounds.to_fields())  # type: ignore[arg-type]

    def look(self, triggers: Sequence[str], rounds: Rounds) -> tuple[list[KeptMark], str, int]:
        """Read the next part of the marks; where to go on: trigger and cursor, "" once all were read.

        Args:
            triggers: their ids, in order.
            rounds: where to begin.
        """
        left = [id_ for id_ in triggers if id_ >= rounds.trigger]
        cursor = rounds.cursor if left[:1] == [rounds.trigger] else 0
        found: list[KeptMark] = []
        for trigger in left[:TRIGGERS_LOOKED_AT]:
            while True:
                if len(found) >= LOOKED_AT:
                    return found, trigger, cursor
                answer: Any = self.store.client.hscan(self.keys.marks(trigger), cursor, count=_PAGE)
                cursor = int(answer[0])
                for object_id, text in answer[1].items():
                    try:
                        found.append(KeptMark(trigger, object_id, text, Mark.from_text(text)))
                    except ValueError:  # people look at it
                        continue
                if not cursor:
                    break
        return found, left[TRIGGERS_LOOKED_AT] if len(left) > TRIGGERS_LOOKED_AT else "", 0

    def known_firings(self, keys: Sequence[str]) -> set[str]:
        """Those of these keys whose firings are known."""
        known = set[str]()
        for start in range(0, len(keys), _PAGE):
            some = keys[start : start + _PAGE]
            with self.store.client.pipeline(transaction=False) as pipe:
                for key in some:
                    pipe.exists(self.keys.firing(key))
                known |= {key for key, is_known in zip(some, pipe.execute(), strict=True) if is_known}
        return known

    def forget(self, trigger: str, marks: Sequence[tuple[KeptMark, str]], *, may_fire: bool) -> int:
        """Forget marks with the keys of their last firings, where nothing has changed since; how many were.

        Args:
            trigger: whose they are.
            marks: each with the key of its last firing.
            may_fire: their objects may fire again, so that matchers have to look them up.
        """
        names, prefixes = [self.keys.marks(trigger), self.keys.forgotten], (self.keys.firing(""), self.keys.active(""))
        gone = 0
        for start in range(0, len(marks), _PER_CALL):
            some = [part for one, key in marks[start : start + _PER_CALL] for part in (one.object, one.text, key)]
            gone += int(self.store.run(FORGET_MARKS, names, trigger, int(may_fire), *prefixes, *some))
        return gone

    def all(self) -> dict[str, Forgotten]:
        """The triggers that have had marks forgotten."""
        found: Any = self.store.client.hgetall(self.keys.forgotten)
        return {trigger: Forgotten.from_text(text) for trigger, text in found.items()}
