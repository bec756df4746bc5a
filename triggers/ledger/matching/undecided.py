"""Undecided events: of objects that may be a trigger's own launch, until the ledger knows whether they are.

`match` keeps them undecided in the step that takes their batch, and decides on them, in order, once it is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from triggers.base import forms
from triggers.ledger.firings.firing import Firing
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

ADOPT = Script("slot_adopt")

#: What the signature of undecided events is of, with the object.
UNDECIDED: Final = "undecided events of"

#: Undecided events of one object that are kept at most; of more, the newest takes the place of the last.
KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class UndecidedMatch:
    """One event that one trigger could not decide on: the trigger's id and the event's JSON."""

    trigger: str
    event: str


def to_text(waiting: Sequence[UndecidedMatch]) -> str:
    """The text kept in Redis of one object's events, "" of none."""
    kept = [*waiting[: KEPT - 1], *waiting[KEPT - 1 :][-1:]]
    return json.dumps([(one.trigger, one.event) for one in kept]) if kept else ""


def from_text(text: str) -> list[UndecidedMatch]:
    """Read the text kept in Redis; what cannot be read is nothing."""
    try:
        return [UndecidedMatch(str(trigger), str(event)) for trigger, event in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        return []


class Undecided:
    """The undecided events of one scheduler, and what the ledger knows of the firings that they are about."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def partitions(self) -> list[int]:
        """The partitions that hold some."""
        found: Any = self.store.client.smembers(self.keys.undecided_partitions)
        return sorted(int(partition) for partition in found if forms.partition_of(partition) is not None)

    def read(self, partition: int) -> dict[str, str]:
        """The undecided events of a partition: object id → text."""
        found: Any = self.store.client.hgetall(self.keys.undecided(partition))
        return dict(found)

    def firings(self, keys: Iterable[str]) -> dict[str, Firing]:
        """The firings with these keys, as far as they can be read; those that are not there are absent."""
        wanted = list(dict.fromkeys(keys))
        with self.store.client.pipeline(transaction=False) as pipe:
            for key in wanted:
                pipe.hgetall(self.keys.firing(key))
            found: list[Mapping[str, str]] = pipe.execute() if wanted else []
        return {
            key: Firing.as_far_as_readable(key, fields) for key, fields in zip(wanted, found, strict=True) if fields
        }

    def adopt_slot(self, slot: str, holder: str, ended_holder: str = "") -> bool:
        """Bind a slot, free or held by what is known to have ended, to a launch that runs; False if another took it."""
        return bool(self.store.run(ADOPT, [self.keys.slots], slot, holder, ended_holder))

    def slot_holders(self, slots: Sequence[str]) -> dict[str, str]:
        """The firing keys that hold these slots, or held them last."""
        found: Any = self.store.client.hmget(self.keys.slots, list(slots)) if slots else []
        return {slot: holder.partition(" ")[0] for slot, holder in zip(slots, found, strict=True) if holder}
