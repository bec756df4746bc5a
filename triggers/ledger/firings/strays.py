"""Ended firings whose void attempts may have left drafts on the server: `finish.lua` enters them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triggers.ledger import clock
from triggers.ledger.keys import Keys
from triggers.ledger.store import Store


class Strays:
    """Those of one scheduler."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def due(self, limit: int) -> list[str]:
        """Keys of the firings that have to be looked after now, by the ledger's clock."""
        now_ms = clock.now_ms(self.store.client, self.keys)
        found: Any = self.store.client.zrangebyscore(self.keys.strays, "-inf", now_ms, 0, limit)
        return list(found)

    def done(self, keys: Sequence[str]) -> None:
        """Take firings off the list."""
        self.store.client.zrem(self.keys.strays, *keys)
