"""Mutes: of which triggers nobody is notified, and until when. Nothing else heeds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Store

#: The end of a mute that has none.
UNTIL_UNMUTED: Final = 0


class Mutes:
    """The mutes of one scheduler. One that has ended counts as none; the next change removes it."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def at(self, now_ms: int) -> dict[str, int]:
        """The triggers that are muted at a time by the ledger's clock: id → end of the mute, or `UNTIL_UNMUTED`."""
        found: Any = self.store.client.hgetall(self.keys.mutes)
        return muted_at(found, now_ms)

    def mute(self, triggers: Sequence[str], until_ms: int) -> None:
        """Mute triggers until a time, in place of an earlier one. Idempotent."""
        if triggers:
            self.store.client.hset(self.keys.mutes, mapping=dict.fromkeys(triggers, until_ms))

    def unmute(self, triggers: Sequence[str], now_ms: int) -> list[str]:
        """End the mutes of triggers; those that were muted. Idempotent."""
        muted = self.at(now_ms)
        if triggers:
            self.store.client.hdel(self.keys.mutes, *triggers)
        return [trigger for trigger in triggers if trigger in muted]


def muted_at(found: Mapping[str, str], now_ms: int) -> dict[str, int]:
    """Decode the mutes that last at a time; what is not a time mutes nothing."""
    ends = {trigger: int(text) for trigger, text in found.items() if text.isdecimal()}
    return {trigger: end for trigger, end in ends.items() if end == UNTIL_UNMUTED or end > now_ms}
