"""One scenario for each rule of a script: it holds as the scripts are, and fails when the rule is taken out."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from tests.integration.ledger.helpers import claim_one, grant, store_batch, task_event, task_trigger
from triggers.errors import EpochChanged, Fenced
from triggers.ledger import Ledger, leases
from triggers.ledger.firings import Firing, firing_key
from triggers.ledger.matching import Change, Grant
from triggers.ledger.reading import Cursor, decode_batch, encode_batches, partition_of
from triggers.policies import Mark

OBJECT = "1" * 32
PARTITION = partition_of(OBJECT, 16)
TRIGGER = task_trigger()
ARGUMENTS = {"forget_before_ms": 0, "server_ms": 1}


def refused(call: Callable[[], object]) -> bool:
    """Whether the call is told that what it holds is not its own any more."""
    try:
        call()
    except (Fenced, EpochChanged):
        return True
    return False


def expire(ledger: Ledger, key: str) -> None:
    ledger.store.client.zadd(ledger.keys.due("dispatch"), {key: 0})


def overtaken(ledger: Ledger) -> tuple[Firing, Firing]:
    """A frozen owner of a firing and the one who has it now."""
    key = grant(ledger, TRIGGER, task_event())
    frozen = claim_one(ledger)
    expire(ledger, key)
    return frozen, claim_one(ledger)


def another_run(ledger: Ledger) -> None:
    """What a caller looks like that knows an older run of Redis."""
    ledger.store.run_id = "0" * 40


def a_batch(ledger: Ledger, changed_ms: int = 1_000) -> str:
    store_batch(ledger, [task_event(changed_ms=changed_ms)])
    text = ledger.reading.first_batch(PARTITION)
    assert text
    return decode_batch(text).head


def lease(ledger: Ledger, name: str = f"match:{PARTITION}") -> str:
    token = leases.acquire(ledger.store, ledger.keys, name, 10)
    assert token
    return token


def lose(ledger: Ledger, name: str = f"match:{PARTITION}") -> str:
    """Let a lease run out and another take it."""
    ledger.store.client.delete(ledger.keys.lease(name))
    return lease(ledger, name)


def change(occurrence: int = 1, expected: str = "", changed_ms: int = 1_000) -> Change:
    key = firing_key("scheduler-under-test", TRIGGER.id, OBJECT, occurrence)
    event = task_event(changed_ms=changed_ms)
    made = Grant(key, TRIGGER.id, "task", OBJECT, occurrence, changed_ms, 1, event.to_json(), "dispatch")
    return Change(TRIGGER.id, OBJECT, expected, Mark(occurrence, True, changed_ms, changed_ms).to_text(), made)


def mark_of(ledger: Ledger) -> Mark:
    return ledger.matching.marks([(TRIGGER.id, OBJECT)])[TRIGGER.id, OBJECT]


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


# ---- firings ---------------------------------------------------------------------------------------------
def one_owner_of_a_firing(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    claim_one(ledger)
    assert ledger.firings.claim("dispatch", 10, 10).firings == ()


def a_dead_owner_is_noticed(ledger: Ledger) -> None:
    frozen, owner = overtaken(ledger)
    assert owner.attempts == (frozen.lease, owner.lease)


def a_dead_owner_is_succeeded(ledger: Ledger) -> None:
    """Nobody has to notice: the firing is due again when the lease ends."""
    grant(ledger, TRIGGER, task_event())
    ledger.firings.claim("dispatch", 1, 0.001)
    time.sleep(0.01)
    assert len(claim_one(ledger).attempts) == 2


def a_lost_firing_is_not_renewed(ledger: Ledger) -> None:
    frozen, owner = overtaken(ledger)
    expire(ledger, owner.key)
    assert ledger.firings.renew("dispatch", [frozen], 10) == [owner.key]
    assert ledger.due("dispatch") == 1


def an_ended_firing_is_not_renewed_into_the_list(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.store.client.zrem(ledger.keys.due("dispatch"), firing.key)
    ledger.firings.renew("dispatch", [firing], 10)
    assert ledger.store.client.zcard(ledger.keys.due("dispatch")) == 0


def overtaken_owner(step: str) -> Callable[[Ledger], None]:
    """A scenario: an owner that lost its lease takes a step, and nothing comes of it."""

    def scenario(ledger: Ledger) -> None:
        frozen, owner = overtaken(ledger)
        firings = ledger.firings
        if step in ("withdraw", "clear"):
            firings.record(owner, "t1")
        steps: dict[str, Callable[[], object]] = {
            "begin": lambda: firings.begin(frozen, "slot", "", 10),
            "record": lambda: firings.record(frozen, "t2"),
            "withdraw": lambda: firings.withdraw(frozen, "t1"),
            "clear": lambda: firings.clear(frozen, "t1"),
            "finish": lambda: firings.launched(frozen, "dispatch", task_id="t2"),
            "later": lambda: firings.later(frozen, "dispatch", 1, "why", failed=True),
            "hold": lambda: firings.hold(frozen, "dispatch", "pause:x", "why"),
        }
        before = ledger.store.client.hgetall(ledger.keys.firing(owner.key))
        assert refused(steps[step])
        assert ledger.store.client.hgetall(ledger.keys.firing(owner.key)) == before
        assert firings.holds() == []
        assert firings.slot_holder("slot") == ("", "")

    scenario.__name__ = f"an_overtaken_owner_cannot_{step}"
    return scenario


def two_firings(ledger: Ledger) -> list[Firing]:
    keys = [grant(ledger, TRIGGER, task_event(str(number) * 32)) for number in range(2)]
    claimed = {firing.key: firing for firing in ledger.firings.claim("dispatch", 10, 10).firings}
    return [claimed[key] for key in keys]


def a_slot_has_one_holder(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    assert ledger.firings.begin(first, "slot", "", 0)[0] == "go"
    assert ledger.firings.begin(second, "slot", "", 0)[0] == "busy"
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def only_the_holder_looked_at_is_replaced(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.launched(first, "dispatch", task_id="t1", slot="slot")
    assert ledger.firings.begin(second, "slot", "another holder", 0)[0] == "busy"
    assert ledger.firings.begin(second, "slot", f"{first.key} t1", 0)[0] == "go"


def a_retry_keeps_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    for _ in range(2):
        assert ledger.firings.begin(first, "slot", "", 0)[0] == "go"


def pace_is_counted_once_a_firing(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    answers = [ledger.firings.begin(firing, "", "", 1)[0] for firing in (first, first, second)]
    assert answers == ["go", "go", "pace"]


def what_is_paced_takes_no_slot(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    ledger.firings.begin(first, "", "", 1)
    assert ledger.firings.begin(second, "slot", "", 1)[0] == "pace"
    assert ledger.firings.slot_holder("slot") == ("", "")


def the_first_record_stays(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    assert [ledger.firings.record(firing, task) for task in ("t1", "t2")] == ["t1", "t1"]


def only_what_is_recorded_is_withdrawn(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.record(firing, "t1")
    assert refused(lambda: ledger.firings.withdraw(firing, "t2"))


def only_what_is_recorded_is_cleared(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.record(firing, "t1")
    assert refused(lambda: ledger.firings.clear(firing, "t2"))


def a_withdrawal_keeps_its_first_time(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.record(firing, "t1")
    assert ledger.firings.withdraw(firing, "t1") < 1
    ledger.store.client.hincrby(ledger.keys.firing(key), "withdrawn_ms", -60_000)
    assert ledger.firings.withdraw(firing, "t1") >= 60


def a_new_record_is_withdrawn_from_its_own_time(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.record(firing, "t1")
    ledger.firings.withdraw(firing, "t1")
    ledger.store.client.hincrby(ledger.keys.firing(key), "withdrawn_ms", -60_000)
    ledger.firings.clear(firing, "t1")
    ledger.firings.record(firing, "t2")
    kept = ledger.firings.get(key)
    assert kept
    assert kept.withdrawing is None
    assert ledger.firings.withdraw(firing, "t2") < 1


def a_launch_binds_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.launched(first, "dispatch", task_id="t1", slot="slot")
    assert ledger.firings.slot_holder("slot") == (f"{first.key} t1", "t1")


def another_firings_slot_is_left_alone(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.launched(second, "dispatch", task_id="t2", slot="slot")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def another_firings_slot_is_not_freed_by_a_death(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.give_up(second, "dispatch", "why", slot="slot")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def a_death_frees_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.give_up(first, "dispatch", "why", slot="slot")
    assert ledger.firings.slot_holder("slot") == ("", "")


def a_long_pause_frees_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.later(first, "dispatch", 61, "why", failed=True, slot="slot")
    assert ledger.firings.slot_holder("slot") == ("", "")


def a_pause_leaves_another_firings_slot(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.later(second, "dispatch", 61, "why", failed=True, slot="slot")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def a_recorded_draft_keeps_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    ledger.firings.begin(first, "slot", "", 0)
    ledger.firings.record(first, "t1")
    ledger.firings.later(first, "dispatch", 61, "why", failed=True, slot="slot")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def a_pause_ends_the_attempt(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.later(firing, "dispatch", 0, "why", failed=False)
    assert refused(lambda: ledger.firings.record(firing, "t1"))


def a_touched_attempt_is_remembered_and_an_untouched_one_is_not(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    first = claim_one(ledger)
    ledger.firings.later(first, "dispatch", 0, "why", failed=False)
    expire(ledger, key)
    ledger.firings.later(claim_one(ledger), "dispatch", 0, "why", failed=False, untouched=True)
    kept = ledger.firings.get(key)
    assert kept
    assert kept.attempts == (first.lease,)


def a_skip_releases_its_key(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    ledger.firings.skip(claim_one(ledger), "dispatch", "busy")
    assert mark_of(ledger) == Mark(1, False, 1_000, 0)


def a_launch_and_a_death_keep_their_key(ledger: Ledger) -> None:
    for end in (ledger.firings.launched, lambda firing, lane: ledger.firings.give_up(firing, lane, "why")):
        ledger.store.client.delete(*ledger.store.client.keys(ledger.keys.firing("*")) or ["none"])
        ledger.store.client.delete(ledger.keys.marks(TRIGGER.id))
        grant(ledger, TRIGGER, task_event())
        end(claim_one(ledger), "dispatch")
        assert mark_of(ledger).active


def an_ended_firing_is_not_due(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.launched(firing, "dispatch", task_id="t1")
    assert ledger.store.client.zscore(ledger.keys.due("dispatch"), key) is None
    assert refused(lambda: ledger.firings.skip(firing, "dispatch", "twice"))


def a_dead_letter_is_kept_for_good(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    ledger.firings.give_up(claim_one(ledger), "dispatch", "why")
    assert ledger.store.client.pttl(ledger.keys.firing(key)) == -1
    assert ledger.store.client.zscore(ledger.keys.dead, key)


def a_held_firing_is_on_one_list(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.hold(firing, "dispatch", "pause:x", "paused")
    client, keys = ledger.store.client, ledger.keys
    assert client.zscore(keys.due("dispatch"), key) is None
    assert client.zrange(keys.held("pause:x"), 0, -1) == [key]
    assert refused(lambda: ledger.firings.record(firing, "t1"))
    ledger.firings.release_holds("pause:x", 1)
    assert client.zscore(keys.due("dispatch"), key)
    assert client.zrange(keys.held("pause:x"), 0, -1) == []
    assert ledger.firings.holds() == []


def holds_are_released_in_order_of_their_grant(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    for firing in (second, first):
        ledger.firings.hold(firing, "dispatch", "pause:x", "paused")
        time.sleep(0.002)
    ledger.firings.release_holds("pause:x", 1)
    assert claim_one(ledger).key == first.key


def only_the_latest_waits(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    for firing in (second, first):  # whoever comes first
        ledger.firings.hold(firing, "dispatch", "slot:x", "busy", latest=True)
    assert ledger.store.client.zrange(ledger.keys.held("slot:x"), 0, -1) == [second.key]
    marks = ledger.matching.marks([(TRIGGER.id, firing.object) for firing in (first, second)])
    assert [mark.active for mark in marks.values()] == [False, True], "the older one's key is released"


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
