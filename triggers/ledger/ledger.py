"""One scheduler's ledger: its parts put together over one store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triggers.base.settings import Settings
from triggers.ledger import clock, epoch
from triggers.ledger.adopting import Adopting
from triggers.ledger.audit import Audit
from triggers.ledger.decisions import Decided
from triggers.ledger.epoch import Epoch
from triggers.ledger.firings import Firings
from triggers.ledger.history import History
from triggers.ledger.keys import Keys
from triggers.ledger.leaders import Homes
from triggers.ledger.manual import ByHand
from triggers.ledger.matching import Matching
from triggers.ledger.operations import Operations
from triggers.ledger.poison import Poisoned
from triggers.ledger.reading import Reading
from triggers.ledger.refused import Refused
from triggers.ledger.registry import Registry
from triggers.ledger.retrying import Retrying
from triggers.ledger.signing import Signer
from triggers.ledger.store import Store
from triggers.ledger.syncing import Syncing
from triggers.ledger.undecided import Undecided
from triggers.ledger.unread_triggers import Aside

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Ledger:
    """Everything that is remembered of one scheduler. Threads may share it."""

    scheduler: str
    store: Store
    keys: Keys
    signer: Signer
    registry: Registry
    aside: Aside
    reading: Reading
    matching: Matching
    undecided: Undecided
    poisoned: Poisoned
    refused: Refused
    adopting: Adopting
    firings: Firings
    history: History
    operations: Operations
    homes: Homes
    syncing: Syncing
    by_hand: ByHand
    retrying: Retrying
    decided: Decided
    audit: Audit

    def adopt_epoch(self, *, nothing_launched_before: bool = False, at_least: int = 0) -> Epoch:
        """Learn which epoch this is; call it first, and again after `EpochChanged`, with the number known before."""
        return epoch.adopt(self.store, self.keys, nothing_launched_before=nothing_launched_before, at_least=at_least)

    def recalled(self, number: int) -> None:
        """Pauses were compared with the service task in the epoch of this number."""
        epoch.note_recalled(self.store, self.keys, number)

    def counter(self) -> int:
        """How far the counter inside lease tokens has gone; it goes back only where older data was restored."""
        found: Any = self.store.client.get(self.keys.fence)
        return int(found or 0)

    def now_ms(self) -> int:
        """The ledger's clock: Redis' own, which does not go back."""
        return clock.now_ms(self.store.client, self.keys)

    def ahead_ms(self) -> int:
        """How far that clock is ahead of Redis' wall clock, which was set back."""
        return clock.read(self.store.client, self.keys)[1]

    def due(self, lane: str) -> int:
        """How many firings of a lane are due by the ledger's clock."""
        count: Any = self.store.client.zcount(self.keys.due(lane), "-inf", self.now_ms())
        return int(count)


def open_ledger(store: Store, scheduler: str, settings: Settings) -> Ledger:
    """The ledger of a scheduler on a store; writes nothing."""
    keys, signer = Keys(scheduler), Signer.of(settings, scheduler)
    refused = Refused(store, keys)
    length, retention = settings.history_length, settings.retention_days * SECONDS_PER_DAY
    return Ledger(
        scheduler,
        store,
        keys,
        signer,
        Registry(store, keys, signer),
        Aside(store, keys),
        Reading(store, keys, history_length=length),
        Matching(store, keys, history_length=length, signer=signer),
        Undecided(store, keys),
        Poisoned(store, keys),
        refused,
        Adopting(store, keys, signer, refused),
        Firings(store, keys, retention_seconds=retention, history_length=length, signer=signer),
        History(store, keys),
        Operations(store, keys, retention_seconds=retention, history_length=length),
        Homes(store, keys),
        Syncing(store, keys),
        ByHand(store, keys, scheduler, retention_seconds=retention, history_length=length, signer=signer),
        Retrying(store, keys),
        Decided(store, keys, scheduler),
        Audit(store, keys, history_length=length),
    )
