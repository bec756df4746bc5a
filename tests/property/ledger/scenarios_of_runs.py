"""One scenario for each rule of the registry and of epochs."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.ledger.helpers import store_batch, task_trigger
from tests.property.ledger.making import TRIGGER
from triggers.ledger import Ledger


# ---- registry and epochs ---------------------------------------------------------------------------------
def writers_see_each_other(ledger: Ledger) -> None:
    """The second of two writers that read the same version decides again."""
    other, decided = task_trigger("other"), []

    def decide(known: object, *_: object) -> dict[str, object]:
        if not decided:
            ledger.registry.declare([other], origin="command", server_now_ms=1)
        decided.append(known)
        return {}

    def write(known: object, *more: object) -> dict[str, object]:
        decide(known)
        entries = known.entries  # type: ignore[attr-defined]
        return {id_: replace(entry, paused=True) for id_, entry in entries.items()}

    ledger.registry.declare([TRIGGER], origin="script", server_now_ms=1)
    ledger.registry.edit(write)
    assert {id_ for id_, entry in ledger.registry.snapshot().entries.items() if entry.paused} == {TRIGGER.id, other.id}


def an_epoch_begins_with_another_run(ledger: Ledger) -> None:
    store_batch(ledger, [])
    first = ledger.adopt_epoch()
    assert first.server_ms == 1
    ledger.store.client.hset(ledger.keys.epoch, mapping={"run_id": "another", "began_ms": 0})
    second = ledger.adopt_epoch()
    assert second.number == first.number + 1
    assert second.server_ms is None, "nothing was read in it"
    assert second.began_ms > 0
    assert ledger.adopt_epoch() == second


def an_empty_redis_is_not_complete(ledger: Ledger) -> None:
    assert ledger.adopt_epoch().complete
    ledger.store.client.flushall()
    assert not ledger.adopt_epoch().complete
