"""Epochs: which run of Redis the ledger was written by, and what may have been forgotten since."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

ADOPT = Script("epoch_adopt", fenced=False)

#: How far a change time may lie behind the new epoch's start and still have been launched in the old one, ms.
MARGIN_MS = 60_000


@dataclass(frozen=True, slots=True)
class Epoch:
    """One run of Redis as the ledger knows it.

    `server_ms` is the ClearML server's time at the first poll of this epoch, None before it.
    `complete` says that marks reach back to the scheduler's first launch; a Redis that came back empty is not.
    `slots_known` says that slots were compared with what runs on the server since this run began.
    `began_ms` is Redis' time at which somebody first met this run: attempts that it forgot began before.
    """

    run_id: str
    number: int
    server_ms: int | None
    complete: bool
    slots_known: bool = True
    began_ms: int = 0

    def may_have_launched(self, changed_ms: int) -> bool:
        """Whether a change of that time may have been launched without the ledger remembering it."""
        if not self.complete or self.server_ms is None:
            return True
        return changed_ms <= self.server_ms + MARGIN_MS


def adopt(store: Store, keys: Keys, *, nothing_launched_before: bool = False) -> Epoch:
    """Learn the present run of Redis, beginning a new epoch if it changed. Idempotent.

    Args:
        store: its `run_id` is set to the present run.
        keys: the scheduler's keys.
        nothing_launched_before: the scheduler is known to be new, so an empty Redis has forgotten nothing.
    """
    answer = store.run(ADOPT, [keys.epoch], int(nothing_launched_before))
    run_id, number, server_ms, complete, slots, began_ms = answer
    store.run_id = run_id
    return Epoch(
        run_id,
        int(number),
        int(server_ms) if server_ms else None,
        complete == "1",
        slots_known=slots == number,
        began_ms=int(began_ms),
    )
