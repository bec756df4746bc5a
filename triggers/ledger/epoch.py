"""Epochs: which data in which run of Redis the ledger is, and what may have been forgotten since."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import redis

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

ADOPT, RECALLED = Script("epoch_adopt", fenced=False), Script("epoch_recalled")

#: How far a change time may lie behind the new epoch's start and still have been launched in the old one, ms.
MARGIN_MS = 60_000

#: What was read, or is granted, so long after the first poll of an epoch may have been launched before it, whatever its
#: change time says: the clock that stamped it may be ahead of the one that polls are answered by, ms.
GRANTED_MS = 900_000


@dataclass(frozen=True, slots=True)
class Epoch:
    """One run of Redis with its data, as the ledger knows it.

    `server_ms` is the ClearML server's time at the first poll of this epoch, None before it.
    `complete` says that marks reach back to the scheduler's first launch; a Redis that came back empty is not.
    `slots_known` says that slots were compared with what runs on the server since this run began.
    `began_ms` is the ledger's time at which somebody first met it: attempts that it forgot began before.
    `run_id` is the run id and a nonce written into the data then: emptied or older data has another, or none.
    `recalled` says that what a person paused was compared with what the service task says since.
    `first_polled_ms` is the ledger's time at its first poll, 0 before it.
    """

    run_id: str
    number: int
    server_ms: int | None
    complete: bool
    slots_known: bool = True
    began_ms: int = 0
    recalled: bool = True
    first_polled_ms: int = 0

    @property
    def has_forgotten(self) -> bool:
        """Whether something may have been launched before this epoch that the ledger does not remember."""
        return self.number > 1 or not self.complete

    def may_have_launched(self, changed_ms: int, granted_ms: int, polled_ms: int) -> bool:
        """Whether a change may have been launched without the ledger remembering it.

        Args:
            changed_ms: its time, by the server's clock.
            granted_ms: when its firing was granted in this epoch, by the ledger's.
            polled_ms: when it was read, by the server's: batches may wait long for a matcher.
        """
        if not self.complete or self.server_ms is None:
            return True
        if self.number > 1 and granted_ms <= self.first_polled_ms + GRANTED_MS:
            return True
        if self.number > 1 and polled_ms <= self.server_ms + GRANTED_MS:
            return True
        return changed_ms <= self.server_ms + MARGIN_MS

    def may_have_launched_time(self, granted_ms: int) -> bool:
        """Whether a time of a schedule may have been launched without the ledger remembering it.

        Nominal times are by Redis' clock, which may have been set back since: then a time comes again at any later
        moment of an epoch, and the ClearML server's clock says nothing of it.

        Args:
            granted_ms: when its firing was granted in this epoch, by the ledger's clock.
        """
        return not self.complete or self.number > 1 or granted_ms <= self.began_ms + GRANTED_MS


def adopt(store: Store, keys: Keys, *, nothing_launched_before: bool = False, at_least: int = 0) -> Epoch:
    """Learn the present epoch, beginning a new one if Redis or its data changed. Idempotent.

    Args:
        store: its `run_id` is set to the present one; data older than it has `seen` begins an epoch.
        keys: the scheduler's keys.
        nothing_launched_before: the scheduler is known to be new, so an empty Redis has forgotten nothing.
        at_least: highest number that the caller has seen: data with a lower one is an older state of it.
    """
    answer = store.run(
        ADOPT, [keys.epoch], int(nothing_launched_before), secrets.token_hex(6), at_least, store.seen, store.run_id
    )
    run, number, server_ms, complete, slots, nonce, recalled, first_polled_ms, began_ms = answer
    epoch = Epoch(
        f"{run}.{nonce}",
        int(number),
        int(server_ms) if server_ms else None,
        complete == "1",
        slots_known=slots == number,
        began_ms=int(began_ms or 0),
        recalled=recalled == number,
        first_polled_ms=int(first_polled_ms or 0),
    )
    if store.run_id != epoch.run_id:  # what was seen before says nothing of it
        store.run_id, store.seen = epoch.run_id, 0
    return epoch


def note_recalled(store: Store, keys: Keys, number: int) -> None:
    """Remember that pauses were compared with the saved state in this epoch."""
    store.run(RECALLED, [keys.epoch], number)


def present(client: redis.Redis, keys: Keys) -> str:
    """The epoch as scripts get it from a caller that begins none."""
    nonce: Any = client.hget(keys.epoch, "nonce")
    return f"{client.info('server')['run_id']}.{nonce or ''}"
