"""One scenario for each rule of the registry and of epochs."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.ledger.helpers import store_batch, task_trigger
from tests.property.ledger.making import PARTITION, TRIGGER, a_batch, lease, lose, refused
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


# ---- what cannot be read ---------------------------------------------------------------------------------
def the_earliest_time_of_a_note_is_kept(ledger: Ledger) -> None:
    for from_ms in (5_000, 7_000, 6_000):
        ledger.aside.note({"task:t": "why"}, from_ms)
    assert ledger.aside.notes()["task:t"].from_ms == 5_000


def a_note_renewed_meanwhile_is_not_forgotten(ledger: Ledger) -> None:
    ledger.aside.note({"task:t": "why"}, 5_000)
    read = ledger.aside.notes()
    ledger.aside.note({"task:t": "another reason"}, 7_000)
    ledger.aside.done(read)
    assert set(ledger.aside.notes()) == {"task:t"}
    ledger.aside.done(ledger.aside.notes())
    assert ledger.aside.notes() == {}


def a_frozen_matcher_takes_nothing_away(ledger: Ledger) -> None:
    a_batch(ledger)
    text = ledger.reading.first_batch(PARTITION) or ""
    frozen = lease(ledger)
    lose(ledger)
    assert refused(lambda: ledger.poisoned.take_batch(PARTITION, frozen, text, "why"))
    assert ledger.reading.first_batch(PARTITION) == text


def only_the_batch_that_was_looked_at_is_taken_away(ledger: Ledger) -> None:
    a_batch(ledger)
    assert refused(lambda: ledger.poisoned.take_batch(PARTITION, lease(ledger), "another", "why"))
    assert ledger.reading.first_batch(PARTITION)
    assert ledger.poisoned.count() == 0


def what_is_taken_away_is_kept_for_people(ledger: Ledger) -> None:
    a_batch(ledger)
    text = ledger.reading.first_batch(PARTITION) or ""
    ledger.poisoned.take_batch(PARTITION, lease(ledger), text, "why")
    assert ledger.reading.first_batch(PARTITION) is None
    assert ledger.reading.waiting_partitions() == []
    assert [one.text for one in ledger.poisoned.read()] == [text]
