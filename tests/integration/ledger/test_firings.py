"""Each rule of a firing's life, on a real Redis."""

from __future__ import annotations

import pytest

from tests.integration.ledger.helpers import begin, claim_one, eventually, grant, task_event, task_trigger
from triggers.base.errors import EpochChanged, Fenced
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import firing_key
from triggers.rules.policies import Mark


def expire(ledger: Ledger, key: str) -> None:
    """Let a lease expire without waiting for it."""
    ledger.store.client.zadd(ledger.keys.due("dispatch"), {key: 0})


def test_a_claimed_firing_has_one_owner(ledger: Ledger) -> None:
    key = grant(ledger, task_trigger(), task_event())
    firing = claim_one(ledger)
    assert firing.key == key
    assert firing.attempts == (firing.lease,)
    assert ledger.firings.claim("dispatch", 10, 10).firings == ()


def test_a_lease_that_runs_out_comes_up_again_with_another_attempt(ledger: Ledger) -> None:
    grant(ledger, task_trigger(), task_event())
    first = claim_one(ledger, lease_seconds=0.05)
    (second,) = eventually(lambda: ledger.firings.claim("dispatch", 10, 10).firings)
    assert second.attempts == (first.lease, second.lease)


def test_a_renewed_lease_does_not_run_out(ledger: Ledger) -> None:
    key = grant(ledger, task_trigger(), task_event())
    firing = claim_one(ledger)
    before = ledger.store.client.zscore(ledger.keys.due("dispatch"), key)
    assert ledger.firings.renew("dispatch", [firing], 60) == []
    assert ledger.store.client.zscore(ledger.keys.due("dispatch"), key) > before
    expire(ledger, key)
    claim_one(ledger)
    assert ledger.firings.renew("dispatch", [firing], 60) == [key]


@pytest.mark.parametrize(
    "step", ["record", "withdraw", "clear", "launched", "skip", "give_up", "fail", "snooze", "hold", "begin"]
)
def test_an_overtaken_owner_changes_nothing(ledger: Ledger, step: str) -> None:
    key = grant(ledger, task_trigger(), task_event())
    frozen = claim_one(ledger)
    ledger.firings.record(frozen, "t1")
    expire(ledger, key)
    claim_one(ledger)
    before = ledger.store.client.hgetall(ledger.keys.firing(key))
    firings = ledger.firings
    calls = {
        "record": lambda: firings.record(frozen, "t2"),
        "withdraw": lambda: firings.withdraw(frozen, "t1"),
        "clear": lambda: firings.clear(frozen, "t1"),
        "launched": lambda: firings.launched(frozen, "dispatch", task_id="t1"),
        "skip": lambda: firings.skip(frozen, "dispatch", "why"),
        "give_up": lambda: firings.give_up(frozen, "dispatch", "why"),
        "fail": lambda: firings.fail(frozen, "dispatch", 1, "why"),
        "snooze": lambda: firings.snooze(frozen, "dispatch", 1, "why"),
        "hold": lambda: firings.hold(frozen, "dispatch", "pause:x", "why"),
        "begin": lambda: begin(firings, frozen, "", "", 0),
    }
    with pytest.raises(Fenced):
        calls[step]()
    assert ledger.store.client.hgetall(ledger.keys.firing(key)) == before


def test_an_owner_of_an_older_run_of_redis_changes_nothing(ledger: Ledger) -> None:
    key = grant(ledger, task_trigger(), task_event())
    firing = claim_one(ledger)
    current, ledger.store.run_id = ledger.store.run_id, "0" * 40
    with pytest.raises(EpochChanged):
        ledger.firings.record(firing, "t1")
    # and a thread that learned of the new run goes on with its old token no more than the others
    ledger.store.run_id = current
    stale = firing.lease[:-8] + "0" * 8
    ledger.store.client.hset(ledger.keys.firing(key), "lease", stale)
    from dataclasses import replace

    with pytest.raises(Fenced):
        ledger.firings.record(replace(firing, lease=stale), "t1")


def test_the_first_recorded_id_stays(ledger: Ledger) -> None:
    grant(ledger, task_trigger(), task_event())
    firing = claim_one(ledger)
    assert ledger.firings.record(firing, "t1") == "t1"
    assert ledger.firings.record(firing, "t2") == "t1"
    with pytest.raises(Fenced):
        ledger.firings.clear(firing, "t2")
    ledger.firings.clear(firing, "t1")
    assert ledger.firings.record(firing, "t2") == "t2"


def test_a_key_is_granted_once_and_again_only_after_a_skip(ledger: Ledger) -> None:
    trigger, event = task_trigger(), task_event()
    key = grant(ledger, trigger, event)
    firing = claim_one(ledger)
    grant(ledger, trigger, task_event(changed_ms=2_000))
    assert ledger.firings.get(key).changed_ms == 1_000
    ledger.firings.skip(firing, "dispatch", "single instance")
    mark = ledger.matching.marks([(trigger.id, event.id)])[trigger.id, event.id]
    assert mark == Mark(1, False, 2_000, 0)
    grant(ledger, trigger, task_event(changed_ms=3_000))
    assert claim_one(ledger).changed_ms == 3_000


def test_launched_firings_remember_the_task_and_expire(ledger: Ledger) -> None:
    trigger = task_trigger()
    key = grant(ledger, trigger, task_event())
    ledger.firings.launched(claim_one(ledger), "dispatch", task_id="t1")
    assert ledger.firings.get(key).state == "launched"
    assert ledger.firings.launchers(["t1", "t2"]) == {"t1": trigger.id}
    assert ledger.store.client.pttl(ledger.keys.firing(key)) > 0
    assert ledger.due("dispatch") == 0


def test_a_dead_letter_keeps_its_key_and_gives_back_its_slot(ledger: Ledger) -> None:
    trigger = task_trigger()
    key = grant(ledger, trigger, task_event())
    firing = claim_one(ledger)
    assert begin(ledger.firings, firing, "slot", "", 0) == ("go", "")
    ledger.firings.give_up(firing, "dispatch", "no such queue", slot="slot")
    assert ledger.firings.slot_holder("slot") == ("", "")
    assert ledger.firings.get(key).reason == "no such queue"
    assert ledger.store.client.pttl(ledger.keys.firing(key)) == -1
    grant(ledger, trigger, task_event(changed_ms=2_000))
    assert ledger.firings.claim("dispatch", 10, 10).firings == ()


def test_a_slot_has_one_holder_and_passes_on_only_from_the_one_looked_at(ledger: Ledger) -> None:
    keys = [grant(ledger, task_trigger(), task_event(str(i) * 32)) for i in range(3)]
    first, second, third = sorted(ledger.firings.claim("dispatch", 3, 10).firings, key=lambda f: keys.index(f.key))
    assert begin(ledger.firings, first, "slot", "", 0) == ("go", "")
    assert begin(ledger.firings, first, "slot", "", 0) == ("go", ""), "a repeated take keeps its slot"
    assert begin(ledger.firings, second, "slot", "", 0) == ("busy", f"{first.key} ")
    ledger.firings.launched(first, "dispatch", task_id="t1", slot="slot")
    holder, task = ledger.firings.slot_holder("slot")
    assert task == "t1"
    assert begin(ledger.firings, second, "slot", "", 0)[0] == "busy", "nobody has looked whether t1 ended"
    assert begin(ledger.firings, second, "slot", holder, 0) == ("go", "")
    assert begin(ledger.firings, third, "slot", holder, 0)[0] == "busy", "the holder that was looked at is gone"


def test_a_long_pause_gives_back_the_slot_and_a_short_one_does_not(ledger: Ledger) -> None:
    key = grant(ledger, task_trigger(), task_event())
    firing = claim_one(ledger)
    begin(ledger.firings, firing, "slot", "", 0)
    ledger.firings.fail(firing, "dispatch", 59, "server down")
    assert ledger.firings.slot_holder("slot")[0] == f"{key} "
    expire(ledger, key)
    ledger.firings.fail(claim_one(ledger), "dispatch", 61, "server down")
    assert ledger.firings.slot_holder("slot")[0] == ""
    assert ledger.firings.get(key).failures == 2


def test_pace_counts_each_firing_once_and_says_when_to_go_on(ledger: Ledger) -> None:
    trigger = task_trigger()
    keys = [grant(ledger, trigger, task_event(str(i) * 32)) for i in range(3)]
    claimed = sorted(ledger.firings.claim("dispatch", 3, 10).firings, key=lambda f: keys.index(f.key))
    assert [begin(ledger.firings, f, "", "", 2)[0] for f in claimed] == ["go", "go", "pace"]
    assert begin(ledger.firings, claimed[0], "", "", 2) == ("go", ""), "a retry is not a launch more"
    assert ledger.firings.pace_room(trigger.id, 2) == 0


def test_held_firings_leave_the_due_list_and_return_in_order(ledger: Ledger) -> None:
    keys = [grant(ledger, task_trigger(), task_event(str(i) * 32)) for i in range(4)]
    for firing in ledger.firings.claim("dispatch", 4, 10).firings:
        ledger.firings.hold(firing, "dispatch", "pause:x", "paused")
    assert ledger.firings.holds() == ["pause:x"]
    assert ledger.due("dispatch") == 0
    assert ledger.firings.release("pause:x", 2) == 2
    assert {f.key for f in ledger.firings.claim("dispatch", 10, 10).firings} == set(keys[:2])
    assert ledger.firings.release("pause:x", 10) == 2
    assert ledger.firings.holds() == []
    assert all(ledger.firings.get(key).attempts == () for key in keys[2:]), "a held attempt has called nothing"


def test_a_failure_is_counted_and_an_untouched_attempt_forgotten(ledger: Ledger) -> None:
    key = grant(ledger, task_trigger(), task_event())
    ledger.firings.fail(claim_one(ledger), "dispatch", 0, "queue missing", untouched=True)
    assert ledger.firings.get(key).failures == 1
    assert ledger.firings.get(key).attempts == ()
    again = eventually(lambda: ledger.firings.claim("dispatch", 1, 10).firings)
    assert len(again[0].attempts) == 1


def test_the_history_tells_what_became_of_a_firing(ledger: Ledger) -> None:
    trigger = task_trigger()
    key = grant(ledger, trigger, task_event())
    ledger.firings.launched(claim_one(ledger), "dispatch", task_id="t1")
    told = ledger.history.read()
    assert [(e.what, e.trigger, e.firing, e.task) for e in told] == [
        ("granted", trigger.id, key, ""),
        ("launched", trigger.id, key, "t1"),
    ]


def test_keys_are_derived_and_differ_by_every_part() -> None:
    key = firing_key("s", "task:a", "o", 1)
    assert key == firing_key("s", "task:a", "o", 1)
    others = {
        firing_key(*p)
        for p in [("s2", "task:a", "o", 1), ("s", "task:b", "o", 1), ("s", "task:a", "p", 1), ("s", "task:a", "o", 2)]
    }
    assert key not in others
    assert len(others) == 4
