"""What people do to a scheduler beside its stages: fire, skip what waits, release holds, free a slot, set a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triggers.ledger.firings.firing import trigger_digest
from triggers.ledger.firings.turns import hold_of, receivers_of
from triggers.ledger.keys import Keys
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.signing import NO_KEY, Signer
from triggers.ledger.store import Script, Store, run_by_parts
from triggers.model.action import LANES

FIRE, SKIP_WAITING, RELEASE_NOW = Script("fire_by_hand"), Script("skip_waiting"), Script("release_now")
SEND = Script("send")
SLOT_RELEASE, CURSOR_SET = Script("slot_release"), Script("cursor_set")


class ByHand:
    """Changes that a person asks for. Each is one script, or several of which each may be the last."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        scheduler: str,
        *,
        retention_seconds: float,
        history_length: int,
        signer: Signer = NO_KEY,
    ) -> None:
        self.store, self.keys, self.scheduler, self.signer = store, keys, scheduler, signer
        self.retention_ms, self.history_length = int(retention_seconds * 1000), history_length

    def fire(self, change: MarkChange, reason: str) -> bool:
        """Grant the firing of `change` with its mark; False when the mark or the firing is no longer as read."""
        grant, keys = change.grant, self.keys
        assert grant is not None
        names = [keys.marks(change.trigger), keys.firing(grant.key), keys.due(grant.lane), keys.fence, keys.history]
        active = keys.active(change.object) if change.transitions else ""
        return bool(
            self.store.run(
                FIRE,
                names,
                change.object,
                change.expected,
                change.mark,
                grant.key,
                reason,
                self.history_length,
                active,
                change.trigger,
                *grant.fields(self.signer),
            )
        )

    def try_out(self, grant: Grant, who: str) -> bool:
        """Grant a firing that only tries an action; False if there is one of its key."""
        keys = self.keys
        names = [keys.firing(grant.key), keys.due(grant.lane), keys.fence, keys.history]
        return bool(self.store.run(SEND, names, grant.key, self.history_length, who, *grant.fields(self.signer)))

    def skip_waiting(self, trigger: str, reason: str) -> int:
        """Skip what waits of a trigger: held for a pause or for its pace, or due and not begun; how many."""
        digest, skipped = trigger_digest(self.scheduler, trigger), 0
        for hold in (f"pause:{trigger}", f"pace:{trigger}"):
            skipped += self._skip(trigger, self.keys.held(hold), hold, self._members(self.keys.held(hold)), reason)
        found: Any = self.store.client.smembers(self.keys.holds)
        for hold in map(hold_of, receivers_of(found)):
            lined_up = [key for key in self._members(self.keys.held(hold)) if key.startswith(digest)]
            skipped += self._skip(trigger, self.keys.held(hold), hold, lined_up, reason)
        for lane in LANES:
            waiting = [key for key in self._members(self.keys.due(lane)) if key.startswith(digest)]
            skipped += self._skip(trigger, self.keys.due(lane), "", waiting, reason)
        return skipped

    def _skip(self, trigger: str, name: str, hold: str, firings: Sequence[str], reason: str) -> int:
        names = [name, self.keys.holds, self.keys.history, self.keys.marks(trigger), self.keys.slots]
        arguments = (hold, self.keys.firing(""), self.retention_ms, self.history_length, reason)
        return run_by_parts(self.store, SKIP_WAITING, names, arguments, firings)

    def release_now(self, hold: str, firings: Sequence[str], who: str) -> int:
        """Make held firings due again, past their trigger's pace; how many were."""
        names = [self.keys.held(hold), self.keys.holds, self.keys.history]
        arguments = (hold, self.keys.firing(""), self.keys.due(""), self.history_length, who)
        return run_by_parts(self.store, RELEASE_NOW, names, arguments, firings)

    def slots(self) -> dict[str, tuple[str, str]]:
        """Slot → (firing key, ClearML task id or "") of its last holder."""
        found: Any = self.store.client.hgetall(self.keys.slots)
        # one that a person released stands without a holder until it is taken again
        return {slot: (one.partition(" ")[0], one.partition(" ")[2]) for slot, one in found.items() if one}

    def release_slot(self, slot: str, holder: tuple[str, str]) -> bool:
        """Free a slot, if that is its holder still."""
        return bool(self.store.run(SLOT_RELEASE, [self.keys.slots], slot, " ".join(holder)))

    def set_cursor(self, source: str, read_to_ms: int) -> int:
        """Let the next poll read from there on: 1 done, 0 a poll is under way, -1 the source was never read."""
        names = [self.keys.lease("poll"), self.keys.cursor(source), self.keys.seen(source)]
        return int(self.store.run(CURSOR_SET, names, read_to_ms))

    def _members(self, name: str) -> list[str]:
        found: Any = self.store.client.zrange(name, 0, -1)
        return list(found)
