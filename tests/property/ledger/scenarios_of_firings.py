"""One scenario for each rule of a firing's life."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tests.integration.ledger.helpers import begin, claim_one, grant, task_event
from tests.property.ledger.making import TRIGGER, expire, mark_of, overtaken, refused, two_firings
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import PlainTriggers
from triggers.model.action import Lane
from triggers.rules.policies import Mark


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
            "begin": lambda: begin(firings, frozen, "slot", "", 10),
            "record": lambda: firings.record(frozen, "t2"),
            "withdraw": lambda: firings.withdraw(frozen, "t1"),
            "clear": lambda: firings.clear(frozen, "t1"),
            "finish": lambda: firings.launched(frozen, "dispatch", task_id="t2"),
            "put_back": lambda: firings.fail(frozen, "dispatch", 1, "why"),
            "hold": lambda: firings.hold(frozen, "dispatch", "pause:x", "why"),
            "raise_mark": lambda: firings.raise_mark(frozen, 7),
        }
        before = ledger.store.client.hgetall(ledger.keys.firing(owner.key))
        assert refused(steps[step])
        assert mark_of(ledger).occurrence == 1
        assert ledger.store.client.hgetall(ledger.keys.firing(owner.key)) == before
        assert firings.holds() == []
        assert firings.slot_holder("slot") == ("", "")

    scenario.__name__ = f"an_overtaken_owner_cannot_{step}"
    return scenario


def a_mark_is_only_raised(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    before = mark_of(ledger)
    firing = claim_one(ledger)
    for occurrence, then in ((7, 7), (5, 7), (10, 10)):
        ledger.firings.raise_mark(firing, occurrence)
        assert mark_of(ledger) == replace(before, occurrence=then)


def a_slot_has_one_holder(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    assert begin(ledger.firings, first, "slot", "", 0)[0] == "go"
    assert begin(ledger.firings, second, "slot", "", 0)[0] == "busy"
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def only_the_holder_looked_at_is_replaced(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.launched(first, "dispatch", task_id="t1", slot="slot")
    assert begin(ledger.firings, second, "slot", "another holder", 0)[0] == "busy"
    assert begin(ledger.firings, second, "slot", f"{first.key} t1", 0)[0] == "go"


def a_retry_keeps_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    for _ in range(2):
        assert begin(ledger.firings, first, "slot", "", 0)[0] == "go"


def pace_is_counted_once_a_firing(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    answers = [begin(ledger.firings, firing, "", "", 1)[0] for firing in (first, first, second)]
    assert answers == ["go", "go", "pace"]


def begun(
    ledger: Ledger, limit: int = 1, *, trigger: str = TRIGGER.id, version: int = 0, lane: Lane = "dispatch"
) -> int:
    """How many of the firings that are due begin with their claim."""
    claim = ledger.firings.claim(lane, 10, 10, plain=PlainTriggers(version, {trigger: limit}))
    assert claim.firings
    return len(claim.begun)


def what_begins_with_its_claim_is_counted(ledger: Ledger) -> None:
    for n in range(3):
        grant(ledger, TRIGGER, task_event(str(n) * 32))
    assert begun(ledger, limit=2) == 2
    assert ledger.firings.pace_room(TRIGGER.id, 2) == 0
    assert not any("begun" in ledger.store.client.hgetall(key) for key in ledger.store.client.keys("*firing:*"))
    grant(ledger, TRIGGER, task_event("a" * 32))
    assert begun(ledger, limit=0) == 1, "it has no pace"


def only_a_first_attempt_begins_with_its_claim(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    assert begun(ledger) == 1
    expire(ledger, key)
    assert begun(ledger) == 0, "it asks, and is counted once"
    assert begin(ledger.firings, ledger.firings.get(key), "", "", 1)[0] == "go"  # type: ignore[arg-type]


def nothing_begins_by_a_registry_of_before(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    assert begun(ledger, version=1) == 0
    assert ledger.firings.pace_room(TRIGGER.id, 1) == 1


def triggers_that_are_not_named_begin_nothing_with_a_claim(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    assert begun(ledger, trigger="another") == 0


def what_has_parts_does_not_begin_with_its_claim(ledger: Ledger) -> None:
    """They are granted when it begins, and not before it is known whether it waits."""
    grant(ledger, TRIGGER, task_event(), parts=True)
    assert begun(ledger) == 0


def a_part_does_not_begin_with_its_claim(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event(), parts=True)
    begin(ledger.firings, claim_one(ledger), "", "", 0)
    assert begun(ledger, lane="act") == 0
    assert ledger.firings.pace_room(TRIGGER.id, 1) == 1


def what_is_paced_takes_no_slot(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    begin(ledger.firings, first, "", "", 1)
    assert begin(ledger.firings, second, "slot", "", 1)[0] == "pace"
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
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.launched(first, "dispatch", task_id="t1", slot="slot")
    assert ledger.firings.slot_holder("slot") == (f"{first.key} t1", "t1")


def another_firings_slot_is_left_alone(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.launched(second, "dispatch", task_id="t2", slot="slot")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def another_firings_slot_is_not_freed_by_a_death(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.give_up(second, "dispatch", "why", slot="slot")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def a_death_frees_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.give_up(first, "dispatch", "why", slot="slot")
    assert ledger.firings.slot_holder("slot") == ("", "")


def a_long_pause_frees_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.fail(first, "dispatch", 61, "why")
    assert ledger.firings.slot_holder("slot") == ("", "")


def a_pause_leaves_another_firings_slot(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.store.client.hset(ledger.keys.firing(second.key), "slot", "slot")  # it held it once
    ledger.firings.fail(second, "dispatch", 61, "why")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def a_recorded_draft_keeps_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.record(first, "t1")
    ledger.firings.fail(first, "dispatch", 61, "why")
    assert ledger.firings.slot_holder("slot")[0] == f"{first.key} "


def what_waits_on_purpose_gives_back_its_slot(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.hold(first, "dispatch", "pause:x", "why")
    assert ledger.firings.slot_holder("slot") == ("", "")
    assert begin(ledger.firings, second, "slot", "", 0)[0] == "go"


def a_skip_gives_back_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.record(first, "a task that runs for another")
    ledger.firings.skip(first, "dispatch", "why", task_id="a task that runs for another")
    assert ledger.firings.slot_holder("slot") == ("", "")


def a_slot_of_what_was_found_running_is_kept(ledger: Ledger) -> None:
    """Redis forgot the launch, the slot is known again from what runs, and its firing is granted once more."""
    first, second = two_firings(ledger)
    ledger.firings.rebuild_slots(2, {"slot": f"{first.key} t1"})
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.give_up(first, "dispatch", "why")
    assert ledger.firings.slot_holder("slot") == (f"{first.key} t1", "t1")
    assert begin(ledger.firings, second, "slot", "", 0)[0] == "busy"


def another_slot_gives_back_the_one_before(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    begin(ledger.firings, first, "other", "", 0)
    assert ledger.firings.slot_holder("slot") == ("", "")
    assert ledger.firings.slot_holder("other")[0] == f"{first.key} "


def a_holder_that_is_gone_holds_nothing(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    ledger.store.client.hset(ledger.keys.slots, "slot", "gone ")
    assert begin(ledger.firings, first, "slot", "", 0)[0] == "go"
    assert begin(ledger.firings, second, "slot", "", 0)[0] == "busy"


def a_drop_gives_back_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.hold(first, "dispatch", "pause:x", "why")
    _leaked_by_an_earlier_release(ledger, first.key)
    assert ledger.operations.drop_held("pause:x", [first.key], "me") == 1
    assert ledger.firings.slot_holder("slot") == ("", "")


def _leaked_by_an_earlier_release(ledger: Ledger, key: str) -> None:
    ledger.store.client.hset(ledger.keys.slots, "slot", f"{key} ")
    ledger.store.client.hset(ledger.keys.firing(key), "slot", "slot")


def skipping_what_waits_gives_back_its_slot(ledger: Ledger) -> None:
    first, _ = two_firings(ledger)
    begin(ledger.firings, first, "slot", "", 0)
    ledger.firings.fail(first, "dispatch", 1, "why")
    assert ledger.by_hand.skip_waiting(TRIGGER.id, "why") == 1
    assert ledger.firings.slot_holder("slot") == ("", "")


def a_pause_ends_the_attempt(ledger: Ledger) -> None:
    grant(ledger, TRIGGER, task_event())
    firing = claim_one(ledger)
    ledger.firings.snooze(firing, "dispatch", 0, "why")
    assert refused(lambda: ledger.firings.record(firing, "t1"))


def a_touched_attempt_is_remembered_and_an_untouched_one_is_not(ledger: Ledger) -> None:
    key = grant(ledger, TRIGGER, task_event())
    first = claim_one(ledger)
    ledger.firings.snooze(first, "dispatch", 0, "why")
    expire(ledger, key)
    ledger.firings.snooze(claim_one(ledger), "dispatch", 0, "why", untouched=True)
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
    ledger.firings.release("pause:x", 1)
    assert client.zscore(keys.due("dispatch"), key)
    assert client.zrange(keys.held("pause:x"), 0, -1) == []
    assert ledger.firings.holds() == []


def holds_are_released_in_order_of_their_grant(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    for firing in (second, first):
        ledger.firings.hold(firing, "dispatch", "pause:x", "paused")
        time.sleep(0.002)
    ledger.firings.release("pause:x", 1)
    assert claim_one(ledger).key == first.key


def _latest_of(ledger: Ledger, *changed_ms: int) -> int:
    """Which of two firings, granted in this order for changes of these times, waits on."""
    for number, at_ms in enumerate(changed_ms):
        grant(ledger, TRIGGER, task_event(f"{number}" * 32, at_ms))
    for firing in ledger.firings.claim("dispatch", 10, 10).firings:
        ledger.firings.hold(firing, "dispatch", "slot:x", "busy", latest=True)
    (key,) = ledger.store.client.zrange(ledger.keys.held("slot:x"), 0, -1)
    return int(ledger.firings.get(key).object[0])  # type: ignore[union-attr]


def the_latest_of_two_changes_waits(ledger: Ledger) -> None:
    """Matchers of two partitions have granted them the other way round."""
    assert _latest_of(ledger, 1_002, 1_001) == 0


def the_latest_grant_waits_where_the_clock_was_set_back(ledger: Ledger) -> None:
    assert _latest_of(ledger, 3_600_000, 1_001) == 1


def only_the_latest_waits(ledger: Ledger) -> None:
    first, second = two_firings(ledger)
    for firing in (second, first):  # whoever comes first
        ledger.firings.hold(firing, "dispatch", "slot:x", "busy", latest=True)
    assert ledger.store.client.zrange(ledger.keys.held("slot:x"), 0, -1) == [second.key]
    marks = ledger.matching.marks([(TRIGGER.id, firing.object) for firing in (first, second)])
    assert [mark.active for mark in marks.values()] == [False, True], "the older one's key is released"
