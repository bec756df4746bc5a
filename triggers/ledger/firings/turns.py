"""Turns at a receiver: how many are under way to one host at a time, over all workers, and what waits for its turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from triggers.base.formats import KNOWN
from triggers.ledger import leases
from triggers.ledger.firings import lines
from triggers.ledger.firings.firing import Claim, Firing
from triggers.ledger.keys import Keys
from triggers.ledger.leases import nonce
from triggers.ledger.signing import NO_KEY, Signer
from triggers.ledger.store import Script, Store
from triggers.model.action import Lane

LINE_UP = Script("line_up")

#: Requests under way to one receiver at most.
IN_FLIGHT: Final = 2

LANE: Final[Lane] = "act"
_HOLD: Final = "receiver:"


class Turns:
    """The receivers of one scheduler. A turn is a lease: of a worker that dies, it runs out."""

    def __init__(self, store: Store, keys: Keys, *, signer: Signer = NO_KEY) -> None:
        self.store, self.keys, self.signer = store, keys, signer

    def take(self, receiver: str, seconds: float) -> tuple[str, str] | None:
        """Take a turn, as (name of its lease, token); None while all are taken."""
        for number in range(IN_FLIGHT):
            name = f"receiver:{receiver}:{number}"
            if token := leases.acquire(self.store, self.keys, name, seconds):
                return name, token
        return None

    def extend(self, turn: tuple[str, str], seconds: float) -> bool:
        """Keep a turn for longer; False when it was lost."""
        return leases.renew(self.store, self.keys, *turn, seconds)

    def give_back(self, turn: tuple[str, str]) -> None:
        """Let another have it; harmless when it was lost before."""
        leases.release(self.store, self.keys, *turn)

    def line_up(self, receiver: str, firings: Sequence[Firing]) -> int:
        """Let claimed firings wait until it is their turn; how many were still ours."""
        hold = hold_of(receiver)
        names = [self.keys.due(LANE), self.keys.held(hold), self.keys.holds]
        owners = [part for firing in firings for part in (firing.key, firing.lease)]
        reason = f"waiting for its turn: {IN_FLIGHT} requests to {receiver} are under way"
        return int(self.store.run(LINE_UP, names, hold, reason, self.keys.firing(""), *owners))

    def claim(self, receiver: str, limit: int, lease_seconds: float) -> Claim:
        """Lease up to `limit` firings that wait: of each trigger in turn, in the order of their grant."""
        hold, keys = hold_of(receiver), self.keys
        names = [keys.held(hold), keys.holds, keys.due(LANE), keys.fence, keys.registry_version]
        names += [keys.lines(hold), keys.served(hold)]
        lease_ms = int(lease_seconds * 1000)
        arguments = (hold, limit, lease_ms, nonce(), keys.firing(""), KNOWN["firing"], lines.PASSED_OVER)
        version, found, _ = lines.claim(self.store, (lines.CLAIM_HELD, names, arguments))
        return Claim.from_answer(version, found, self.signer)

    def waiting(self) -> list[str]:
        """The receivers for which something waits."""
        found: Any = self.store.client.smembers(self.keys.holds)
        return receivers_of(found)


def hold_of(receiver: str) -> str:
    """Name of the hold in which firings wait for their turn at a receiver."""
    return _HOLD + receiver


def receivers_of(holds: Iterable[str]) -> list[str]:
    """The receivers for whose turns there are holds."""
    return sorted(hold.removeprefix(_HOLD) for hold in holds if hold.startswith(_HOLD))
