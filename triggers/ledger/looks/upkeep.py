"""What a round of reconcile has to do, found in one trip: at rest that is nothing, and the round ends there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triggers.ledger import clock
from triggers.ledger.firings.lines import score_of
from triggers.ledger.firings.turns import receivers_of
from triggers.ledger.keys import Keys
from triggers.ledger.matching.edits import KEPT_MS
from triggers.ledger.store import Store
from triggers.model.action import LANES


@dataclass(frozen=True, slots=True)
class Upkeep:
    """One scheduler at one time, by the ledger's clock.

    Attributes:
        now_ms: That time.
        ahead_ms: How far it is ahead of Redis' own.
        registry_version: Of the registry.
        batches_ms: Since when the partition that has waited longest does, None where none waits.
        undecided: There are undecided events.
        due_ms: By lane, when the first firing was, or will be, due; lanes without any are absent.
        hinted_ms: By stage, when the hint was sent that nobody has taken yet.
        holds: The holds that have firings.
        alarms: The names of those that are set.
        launched_ms: The oldest launch that is remembered.
        has_old_edits: Own edits can be forgotten.
        has_strays: Drafts of void attempts have to be looked for.
        has_quarantined: Something is quarantined, was refused, or passes triggers by.
    """

    now_ms: int
    ahead_ms: int
    registry_version: int
    batches_ms: int | None
    undecided: bool
    due_ms: Mapping[str, int]
    hinted_ms: Mapping[str, int]
    holds: Sequence[str]
    alarms: frozenset[str]
    launched_ms: int | None
    has_old_edits: bool
    has_strays: bool
    has_quarantined: bool

    def waits(self, stage: str) -> bool:
        """Whether something is due for a stage that takes hints."""
        if stage == "match":
            return self.batches_ms is not None or self.undecided
        due_ms = self.due_ms.get(stage)
        return (due_ms is not None and due_ms <= self.now_ms) or (stage == "act" and bool(receivers_of(self.holds)))

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing waits, is held or quarantined, or has to be reported or cleared away."""
        waits = any(map(self.waits, ("match", *LANES)))
        rest = (self.holds, self.alarms, self.ahead_ms, self.has_old_edits, self.has_strays, self.has_quarantined)
        return not waits and not any(rest)

    def long_waiting(self, seconds: float) -> bool:
        """Whether events or firings have been due for so long."""
        times = [*self.due_ms.values(), *([] if self.batches_ms is None else [self.batches_ms])]
        return min(times, default=self.now_ms) <= self.now_ms - seconds * 1000


def look(store: Store, keys: Keys) -> Upkeep:
    """Look at all of it, by one trip."""
    with store.client.pipeline(transaction=False) as pipe:
        clock.ask(pipe, keys)
        pipe.get(keys.registry_version)
        pipe.scard(keys.undecided_partitions)
        pipe.hgetall(keys.hinted)
        pipe.smembers(keys.holds)
        pipe.hkeys(keys.alarms)
        pipe.hlen(keys.unread_triggers)
        pipe.llen(keys.quarantine)
        pipe.llen(keys.refused)
        firsts = [keys.ready, *map(keys.due, LANES), keys.launched_times, keys.edit_times, keys.strays]
        for name in firsts:
            pipe.zrange(name, 0, 0, withscores=True)
        time, known, version, undecided, hinted, holds, alarms, aside, poison, refused, *found = pipe.execute()
    now_ms, ahead_ms = clock.made_of(time, known)
    batches_ms, *due, launched_ms, edit_ms, stray_ms = (_score(one) for one in found)
    return Upkeep(
        now_ms=now_ms,
        ahead_ms=ahead_ms,
        registry_version=int(version or 0),
        batches_ms=batches_ms,
        undecided=bool(undecided),
        due_ms={lane: ms for lane, ms in zip(LANES, due, strict=True) if ms is not None},
        hinted_ms={stage: int(ms) for stage, ms in hinted.items() if ms.isdigit()},
        holds=sorted(holds),
        alarms=frozenset(alarms),
        launched_ms=launched_ms,
        has_old_edits=edit_ms is not None and edit_ms <= now_ms - KEPT_MS,
        has_strays=stray_ms is not None and stray_ms <= now_ms,
        has_quarantined=bool(aside or poison or refused),
    )


def _score(first: Any) -> int | None:
    return score_of(first[0][1]) if first else None
