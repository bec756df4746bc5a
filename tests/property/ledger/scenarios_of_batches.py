"""One scenario for each rule of prelude, polls, leases and matching."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from tests.integration.ledger.helpers import claim_one, grant, store_batch, task_event
from tests.property.ledger.making import (
    ARGUMENTS,
    PARTITION,
    TRIGGER,
    a_batch,
    another_run,
    change,
    lease,
    lose,
    mark_of,
    refused,
)
from triggers.base.errors import Fenced
from triggers.ledger import Ledger, leases
from triggers.ledger.polling.batches import encode_batches
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.polling.seen_here import Assumed
from triggers.model.events import Event
from triggers.rules.policies import Mark


# ---- prelude ---------------------------------------------------------------------------------------------
def scripts_refuse_another_run(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    another_run(ledger)
    assert refused(lambda: ledger.firings.claim("dispatch", 1, 10))


def tokens_end_with_their_run(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    stale = firing.lease[:-8] + "0" * 8
    ledger.store.client.hset(ledger.keys.firing(firing.key), "lease", stale)
    assert refused(lambda: ledger.firings.record(replace(firing, lease=stale), "t1"))


def leases_end_with_their_run(ledger: Ledger) -> None:
    stale = lease(ledger)[:-8] + "0" * 8
    ledger.store.client.set(ledger.keys.lease(f"match:{PARTITION}"), stale)
    assert not leases.renew(ledger.store, ledger.keys, f"match:{PARTITION}", stale, 10)


def tokens_are_never_given_twice(ledger: Ledger) -> None:
    """Also when the counter is forgotten."""
    first = lease(ledger)
    ledger.store.client.delete(ledger.keys.fence, ledger.keys.lease(f"match:{PARTITION}"))
    assert lease(ledger) != first


# ---- reading ---------------------------------------------------------------------------------------------
def one_poller_at_a_time(ledger: Ledger) -> None:
    with ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as first:
        assert first
        with ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as second:
            assert second is None


def polls_keep_their_pace(ledger: Ledger) -> None:
    for expected in (True, False, False):
        with ledger.reading.poll(pace_seconds=60, lease_seconds=5) as token:
            assert bool(token) is expected


def a_frozen_poller_delays_no_poll(ledger: Ledger) -> None:
    with suppress(Fenced), ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as token:
        assert token
        due_ms = ledger.waiting.next_poll_ms()
        lose(ledger, "poll")
        ledger.reading.stretch(token, 60)
    assert ledger.waiting.next_poll_ms() == due_ms


def a_frozen_poller_stores_nothing(ledger: Ledger) -> None:
    with suppress(Fenced), ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as token:
        assert token
        lose(ledger, "poll")
        cursor = Cursor(99, 1)
        assert refused(lambda: ledger.reading.commit("tasks", token, cursor, [], [], **ARGUMENTS))
    assert ledger.reading.cursor("tasks").read_to_ms == 0


def cursor_and_events_go_together(ledger: Ledger) -> None:
    event = task_event()
    with ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as token:
        assert token
        batches = encode_batches([event], plan=1, polled_ms=1, partitions=16, size=100)
        ledger.reading.commit("tasks", token, Cursor(99, 1), [event], batches, **ARGUMENTS)
    assert ledger.reading.cursor("tasks").read_to_ms == 99
    assert ledger.reading.first_batch(PARTITION)
    assert ledger.reading.waiting_partitions() == [PARTITION]
    assert ledger.reading.unseen("tasks", [event]) == []


def assuming(ledger: Ledger, *, fresh: Sequence[Event] = (), known: Sequence[Event] = (), version: int = 0) -> bool:
    """Whether a page is stored by what a poll takes for granted."""
    with ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as token:
        assert token
        batches = encode_batches(fresh, plan=1, polled_ms=1, partitions=16, size=100)
        assumed = Assumed(fresh, known, version)
        stored, _ = ledger.reading.commit("tasks", token, Cursor(99, 1), fresh, batches, assumed=assumed, **ARGUMENTS)
    waiting = ledger.reading.first_batch(PARTITION) is not None
    assert (ledger.reading.cursor("tasks").read_to_ms == 99) == stored, "all or nothing"
    ledger.store.client.delete(ledger.keys.batches(PARTITION), ledger.keys.cursor("tasks"))
    assert waiting == (stored and bool(fresh))
    return stored


def what_another_poll_has_seen_is_not_stored_as_fresh(ledger: Ledger) -> None:
    assert assuming(ledger, fresh=[task_event()])
    assert not assuming(ledger, fresh=[task_event()])
    assert assuming(ledger, known=[task_event()])


def what_was_forgotten_does_not_pass_for_seen(ledger: Ledger) -> None:
    assert not assuming(ledger, known=[task_event()])
    assert assuming(ledger, fresh=[task_event()])


def a_later_change_of_what_was_seen_is_fresh(ledger: Ledger) -> None:
    assert assuming(ledger, fresh=[task_event()])
    assert not assuming(ledger, known=[task_event(changed_ms=2_000)])
    assert assuming(ledger, fresh=[task_event(changed_ms=2_000)])


def a_page_is_not_judged_by_triggers_of_before(ledger: Ledger) -> None:
    assert not assuming(ledger, fresh=[task_event()], version=ledger.registry.version() + 1)
    assert assuming(ledger, fresh=[task_event()], version=ledger.registry.version())


# ---- leases ----------------------------------------------------------------------------------------------
def a_held_lease_is_not_given(ledger: Ledger) -> None:
    lease(ledger)
    assert leases.acquire(ledger.store, ledger.keys, f"match:{PARTITION}", 10) is None


def a_lost_lease_is_not_released(ledger: Ledger) -> None:
    old = lease(ledger)
    new = lose(ledger)
    assert not leases.release(ledger.store, ledger.keys, f"match:{PARTITION}", old)
    assert ledger.store.client.get(ledger.keys.lease(f"match:{PARTITION}")) == new


def a_lost_lease_is_not_renewed(ledger: Ledger) -> None:
    old = lease(ledger)
    lose(ledger)
    assert not leases.renew(ledger.store, ledger.keys, f"match:{PARTITION}", old, 10)


# ---- matching --------------------------------------------------------------------------------------------
def a_frozen_matcher_commits_nothing(ledger: Ledger) -> None:
    head, old = a_batch(ledger), lease(ledger)
    lose(ledger)
    assert refused(lambda: ledger.matching.commit(PARTITION, old, head, [change()]))
    assert mark_of(ledger) == Mark()
    assert ledger.reading.first_batch(PARTITION)


def a_batch_is_matched_once(ledger: Ledger) -> None:
    head, token = a_batch(ledger), lease(ledger)
    store_batch(ledger, [task_event(changed_ms=2_000)])
    ledger.matching.commit(PARTITION, token, head, [])
    assert refused(lambda: ledger.matching.commit(PARTITION, token, head, [change()])), "the reply was lost"
    assert ledger.reading.first_batch(PARTITION), "the next batch is still there"


def a_skip_in_between_is_seen(ledger: Ledger) -> None:
    """The matcher read the mark, then a dispatcher skipped the firing and released it."""
    grant(ledger, TRIGGER, task_event())
    read = mark_of(ledger).to_text()
    ledger.firings.skip(claim_one(ledger), "dispatch", "busy")
    released = mark_of(ledger)
    head, token = a_batch(ledger, 2_000), lease(ledger)
    moved = replace(change(expected=read, changed_ms=2_000), grant=None)
    assert ledger.matching.commit(PARTITION, token, head, [moved]) is None
    assert mark_of(ledger) == released


def a_key_is_granted_once(ledger: Ledger) -> None:
    """Also when its mark is lost."""
    key = grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.record(firing, "t1")
    ledger.store.client.delete(ledger.keys.marks(TRIGGER.id))
    head, token = a_batch(ledger, 2_000), lease(ledger)
    assert ledger.matching.commit(PARTITION, token, head, [change(changed_ms=2_000)]) == 0
    kept = ledger.firings.get(key)
    assert kept
    assert (kept.task, kept.changed_ms, kept.lease) == ("t1", 1_000, firing.lease)


def a_skipped_key_is_granted_again(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    ledger.firings.skip(claim_one(ledger), "dispatch", "busy")
    head, token, read = a_batch(ledger, 2_000), lease(ledger), mark_of(ledger).to_text()
    assert ledger.matching.commit(PARTITION, token, head, [change(expected=read, changed_ms=2_000)]) == 1
    assert claim_one(ledger).changed_ms == 2_000


def grants_and_batch_go_together(ledger: Ledger) -> None:
    head, token = a_batch(ledger), lease(ledger)
    assert ledger.matching.commit(PARTITION, token, head, [change()]) == 1
    assert ledger.reading.first_batch(PARTITION) is None
    assert ledger.reading.waiting_partitions() == []
    assert mark_of(ledger) == Mark(1, True, 1_000, 1_000)
    assert ledger.due("dispatch") == 1
