"""One scenario for each rule of the registry and of epochs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from tests.integration.ledger.helpers import grant, store_batch, task_event, task_trigger
from tests.property.ledger.making import PARTITION, TRIGGER, a_batch, lease, lose, passes, refused, set_back
from triggers.ledger import Ledger, clock, leases
from triggers.ledger.firings.forgetting import FORGET
from triggers.ledger.registry import registry_texts


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


def writers_of_parts_see_each_other(ledger: Ledger) -> None:
    """A change that is written in parts is not taken into use over that of another writer."""
    with patch.object(registry_texts, "ONE_SCRIPT", 0):
        writers_see_each_other(ledger)


def a_registry_with_a_lost_part_is_not_used(ledger: Ledger) -> None:
    """Parts that were forgotten before the last was there do not leave a registry without them."""
    ledger.registry.declare([TRIGGER], origin="script", server_now_ms=1)
    store, keys, version = ledger.store, ledger.keys, ledger.registry.version()
    store.run(registry_texts.STAGE, [keys.registry_staged("n")], 60_000, TRIGGER.id, "{}")
    names = [keys.registry, keys.registry_version, keys.registry_staged("n"), keys.registry_staged("n:old")]
    assert store.run(registry_texts.SWAP, names, version, version + 1, 2) == -1
    assert ledger.registry.snapshot().version == version


def a_registry_in_use_does_not_expire(ledger: Ledger) -> None:
    """Only parts that nobody took into use are forgotten."""
    with patch.object(registry_texts, "ONE_SCRIPT", 0):
        ledger.registry.declare([TRIGGER], origin="script", server_now_ms=1)
    assert ledger.store.client.ttl(ledger.keys.registry) == -1


def parts_of_a_dead_writer_are_forgotten(ledger: Ledger) -> None:
    """What a writer that died has staged goes away by itself."""
    name = ledger.keys.registry_staged("n")
    ledger.store.run(registry_texts.STAGE, [name], registry_texts.STAGED_MS, TRIGGER.id, "{}")
    assert ledger.store.client.ttl(name) > 0


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


def scripts_refuse_emptied_data(ledger: Ledger) -> None:
    """FLUSHALL keeps the run, and takes the nonce."""
    ledger.store.client.flushall()
    assert refused(lambda: ledger.registry.declare([TRIGGER], origin="script", server_now_ms=1))
    assert not ledger.store.client.exists(ledger.keys.registry)


def an_epoch_begins_with_emptied_data(ledger: Ledger) -> None:
    """Data of the same run without a nonce was emptied, or is of an earlier release."""
    first = ledger.adopt_epoch()
    ledger.store.client.hdel(ledger.keys.epoch, "nonce")
    second = ledger.adopt_epoch()
    assert (second.number, second.run_id != first.run_id) == (first.number + 1, True)


def older_data(ledger: Ledger) -> None:
    """Put back a backup that this ledger has gone on from, into the run and the epoch in which it was made."""
    client = ledger.store.client
    backup = client.get(ledger.keys.fence)
    for _ in range(3):
        token = leases.acquire(ledger.store, ledger.keys, "some", 10)
        assert token
        assert leases.release(ledger.store, ledger.keys, "some", token)
    ledger.store._look_at = 0.0  # a second later
    assert leases.acquire(ledger.store, ledger.keys, "other", 10)
    client.set(ledger.keys.fence, backup or 0)


def scripts_refuse_older_data_of_the_same_epoch(ledger: Ledger) -> None:
    older_data(ledger)
    assert refused(lambda: ledger.registry.declare([TRIGGER], origin="script", server_now_ms=1))
    assert not ledger.store.client.exists(ledger.keys.registry)


def an_epoch_begins_with_older_data_of_the_same_epoch(ledger: Ledger) -> None:
    """One: what was seen before it says nothing of it."""
    before = ledger.adopt_epoch()
    older_data(ledger)
    after = ledger.adopt_epoch()
    assert (after.number, after.run_id != before.run_id) == (before.number + 1, True)
    assert ledger.adopt_epoch() == after
    ledger.registry.declare([TRIGGER], origin="script", server_now_ms=1)


def what_was_seen_before_says_nothing_of_a_new_epoch(ledger: Ledger) -> None:
    """Another process has begun the epoch of emptied data, in which the counter begins anew."""
    client, store = ledger.store.client, ledger.store
    token = leases.acquire(store, ledger.keys, "some", 10)
    assert token
    store._look_at = 0.0  # a second later
    assert leases.acquire(store, ledger.keys, "more", 10)
    assert store.seen > 1
    client.flushall()
    client.set(ledger.keys.fence, 1)
    client.hset(ledger.keys.epoch, mapping={"run_id": client.info("server")["run_id"], "nonce": "new", "number": 7})
    assert ledger.adopt_epoch(at_least=6).number == 7
    ledger.registry.declare([TRIGGER], origin="script", server_now_ms=1)


def an_epoch_begins_with_restored_data(ledger: Ledger) -> None:
    """A backup put back into the same run has its nonce, and a lower number than was seen."""
    backup = ledger.adopt_epoch()
    restored = ledger.adopt_epoch(at_least=backup.number + 6)
    assert (restored.number, restored.run_id != backup.run_id) == (backup.number + 7, True)
    assert ledger.adopt_epoch(at_least=restored.number) == restored
    assert ledger.adopt_epoch(at_least=backup.number) == restored, "who has seen less learns of it, and begins none"


# ---- the clock -------------------------------------------------------------------------------------------
def time_goes_on_where_the_clock_is_set_back(ledger: Ledger) -> None:
    token = leases.acquire(ledger.store, ledger.keys, "one", 30)
    before_ms = ledger.now_ms()
    set_back(ledger, 600)
    for _ in range(2):
        assert leases.renew(ledger.store, ledger.keys, "one", str(token), 30)
        assert 0 <= ledger.now_ms() - before_ms < 5_000
        known: Any = ledger.store.client.hget(ledger.keys.leases, ledger.keys.lease("one"))
        assert 29_000 < int(known.partition(" ")[2]) - before_ms < 35_000


def the_clock_falls_back_without_going_back(ledger: Ledger) -> None:
    """32 s after a step of ten minutes, the ledger is two seconds nearer to the wall clock."""
    now_ms, _ = clock.read(ledger.store.client, ledger.keys)
    facts = {"clock_ms": now_ms + 600_000 - 32_000, "ahead_ms": 600_000}
    ledger.store.client.hset(ledger.keys.epoch, mapping=facts)
    leases.acquire(ledger.store, ledger.keys, "one", 30)
    assert 597_500 < clock.read(ledger.store.client, ledger.keys)[1] < 598_100
    assert ledger.now_ms() >= facts["clock_ms"]


def a_lease_runs_out_where_the_clock_is_set_back(ledger: Ledger) -> None:
    """Redis' own expiry waits for the wall clock."""
    assert leases.acquire(ledger.store, ledger.keys, "one", 10)
    ledger.store.client.persist(ledger.keys.lease("one"))
    assert leases.acquire(ledger.store, ledger.keys, "one", 10) is None
    passes(ledger, 11)
    assert leases.acquire(ledger.store, ledger.keys, "one", 10)


def a_lease_of_an_earlier_release_is_held(ledger: Ledger) -> None:
    """It wrote down no end, and may follow upon one that did."""
    assert leases.acquire(ledger.store, ledger.keys, "one", 0.001)
    ledger.store.client.set(ledger.keys.lease("one"), "7-another-12345678", px=10_000)
    passes(ledger, 11)
    assert leases.acquire(ledger.store, ledger.keys, "one", 10) is None


def a_poll_is_due_within_its_pace(ledger: Ledger) -> None:
    """The pace was an hour, and is five seconds now."""
    with ledger.reading.poll(pace_seconds=3600, lease_seconds=10) as token:
        assert token
    passes(ledger, 6)
    with ledger.reading.poll(pace_seconds=5, lease_seconds=10) as token:
        assert token


# ---- what cannot be read ---------------------------------------------------------------------------------
def the_earliest_time_of_a_note_is_kept(ledger: Ledger) -> None:
    for from_ms in (5_000, 7_000, 6_000):
        ledger.unread_triggers.note({"task:t": "why"}, from_ms)
    assert ledger.unread_triggers.notes()["task:t"].from_ms == 5_000


def a_note_renewed_meanwhile_is_not_forgotten(ledger: Ledger) -> None:
    ledger.unread_triggers.note({"task:t": "why"}, 5_000)
    read = ledger.unread_triggers.notes()
    ledger.unread_triggers.note({"task:t": "another reason"}, 7_000)
    ledger.unread_triggers.done(read)
    assert set(ledger.unread_triggers.notes()) == {"task:t"}
    ledger.unread_triggers.done(ledger.unread_triggers.notes())
    assert ledger.unread_triggers.notes() == {}


def a_frozen_matcher_takes_nothing_away(ledger: Ledger) -> None:
    a_batch(ledger)
    text = ledger.reading.first_batch(PARTITION) or ""
    frozen = lease(ledger)
    lose(ledger)
    assert refused(lambda: ledger.quarantine.take_batch(PARTITION, frozen, text, "why"))
    assert ledger.reading.first_batch(PARTITION) == text


def only_the_batch_that_was_looked_at_is_taken_away(ledger: Ledger) -> None:
    a_batch(ledger)
    assert refused(lambda: ledger.quarantine.take_batch(PARTITION, lease(ledger), "another", "why"))
    assert ledger.reading.first_batch(PARTITION)
    assert ledger.quarantine.count() == 0


def what_is_taken_away_is_kept_for_people(ledger: Ledger) -> None:
    a_batch(ledger)
    text = ledger.reading.first_batch(PARTITION) or ""
    ledger.quarantine.take_batch(PARTITION, lease(ledger), text, "why")
    assert ledger.reading.first_batch(PARTITION) is None
    assert ledger.reading.waiting_partitions() == []
    assert [one.text for one in ledger.quarantine.read()] == [text]


def only_what_has_ended_is_forgotten(ledger: Ledger) -> None:
    """A firing that waits, or was granted again, is not forgotten by somebody who saw an ended one of its key."""
    firing = grant(ledger, TRIGGER, task_event())
    assert ledger.store.run(FORGET, [ledger.keys.epoch], ledger.keys.firing(""), firing) == 0
    (claimed,) = ledger.firings.claim("dispatch", 1, 10).firings
    ledger.firings.launched(claimed, "dispatch", task_id="t" * 32)
    assert ledger.store.run(FORGET, [ledger.keys.epoch], ledger.keys.firing(""), firing) == 1


def what_has_parts_to_grant_is_not_forgotten(ledger: Ledger) -> None:
    """The actions for a failure of a part are known as long as the part may fail."""
    firing = grant(ledger, TRIGGER, task_event())
    (claimed,) = ledger.firings.claim("dispatch", 1, 10).firings
    ledger.firings.launched(claimed, "dispatch", task_id="t" * 32)
    ledger.store.client.hset(ledger.keys.firing(firing), "parts", "[]")
    assert ledger.store.run(FORGET, [ledger.keys.epoch], ledger.keys.firing(""), firing) == 0
