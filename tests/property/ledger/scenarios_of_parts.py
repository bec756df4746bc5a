"""One scenario for each rule of the parts of a firing, of turns at receivers, and of own edits."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.ledger.helpers import begin, claim_one, grant, task_event
from tests.property.ledger.making import OBJECT, TRIGGER, mark_of, refused
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import Firing
from triggers.ledger.matching.changes import Grant

EVENT = task_event()
#: The parts that `grant` names, by when each is granted.
BEGIN, LAUNCHED, DEAD = "-b", "-l", "-d"


def begun(ledger: Ledger, *, go: bool = True) -> Firing:
    grant(ledger, TRIGGER, EVENT, parts=True)
    firing = claim_one(ledger)
    if go:
        assert begin(ledger.firings, firing, "", "", 0) == ("go", "")
    return firing


def parts(ledger: Ledger) -> list[str]:
    """The parts that are due, by the end of their keys."""
    return sorted(key[32:] for key in ledger.store.client.zrange(ledger.keys.due("act"), 0, -1))


def a_firing_that_begins_grants_its_parts(ledger: Ledger) -> None:
    assert parts(ledger) == []
    firing = begun(ledger)
    assert parts(ledger) == [BEGIN]
    part = ledger.firings.get(firing.key + BEGIN)
    assert part
    assert (part.event, part.object, part.state, part.action) == (firing.event, OBJECT, "waiting", "posting:0")
    assert ledger.firings.get(firing.key).has_parts  # type: ignore[union-attr]


def a_part_is_granted_once(ledger: Ledger) -> None:
    firing = begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    ledger.firings.launched(part, "act")
    begin(ledger.firings, firing, "", "", 0)
    ledger.firings.launched(firing, "dispatch")
    assert parts(ledger) == []
    assert ledger.firings.get(part.key).state == "launched"  # type: ignore[union-attr]


def a_held_firing_grants_no_part(ledger: Ledger) -> None:
    firing = begun(ledger, go=False)
    ledger.store.client.hset(ledger.keys.pace(TRIGGER.id), mapping={"minute": ledger.now_ms() // 60_000, "count": 1})
    assert begin(ledger.firings, firing, "", "", 1)[0] == "pace"
    assert parts(ledger) == []


def a_launch_grants_what_waited_for_it(ledger: Ledger) -> None:
    firing = begun(ledger)
    ledger.firings.launched(firing, "dispatch", task_id="t1")
    assert parts(ledger) == [BEGIN, LAUNCHED]
    assert ledger.firings.get(firing.key + LAUNCHED).launched == "t1"  # type: ignore[union-attr]


def a_launch_that_was_found_grants_all(ledger: Ledger) -> None:
    firing = begun(ledger, go=False)
    ledger.firings.launched(firing, "dispatch", task_id="t1")
    assert parts(ledger) == [BEGIN, LAUNCHED]


def a_dead_letter_grants_what_does_not_need_the_launch(ledger: Ledger) -> None:
    firing = begun(ledger, go=False)
    ledger.firings.give_up(firing, "dispatch", "why")
    assert parts(ledger) == [BEGIN, DEAD]


def a_dead_part_grants_what_is_for_failures_once(ledger: Ledger) -> None:
    firing = begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    ledger.firings.give_up(part, "act", "why")
    assert parts(ledger) == [DEAD]
    (alarm,) = ledger.firings.claim("act", 10, 10).firings
    ledger.firings.launched(alarm, "act")
    ledger.firings.give_up(firing, "dispatch", "why")
    assert parts(ledger) == []


def a_skipped_firing_grants_nothing(ledger: Ledger) -> None:
    firing = begun(ledger, go=False)
    ledger.firings.skip(firing, "dispatch", "why")
    assert parts(ledger) == []


def a_skipped_part_keeps_the_key_of_its_firing(ledger: Ledger) -> None:
    begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    ledger.firings.skip(part, "act", "why")
    assert mark_of(ledger).active


def parts_count_for_no_launch(ledger: Ledger) -> None:
    begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    ledger.firings.launched(part, "act")
    assert [entry.what for entry in ledger.history.read()] == ["granted", "acted"]


def damaged_parts_stop_nothing(ledger: Ledger) -> None:
    firing = begun(ledger, go=False)
    ledger.store.client.hset(ledger.keys.firing(firing.key), "parts", "{no list")
    assert begin(ledger.firings, firing, "", "", 0) == ("go", "")
    ledger.firings.give_up(firing, "dispatch", "why")
    assert parts(ledger) == []


def a_part_of_a_key_that_is_granted_again_is_not(ledger: Ledger) -> None:
    """A firing that was skipped after it began gives its key to the object's next change."""
    firing = begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    ledger.firings.launched(part, "act")
    ledger.firings.skip(firing, "dispatch", "why")
    assert begun(ledger).key == firing.key
    assert parts(ledger) == []


def a_firing_that_has_granted_all_names_none(ledger: Ledger) -> None:
    firing = begun(ledger)
    ledger.firings.launched(firing, "dispatch", task_id="t1")
    left = ledger.store.client.hget(ledger.keys.firing(firing.key), "parts") or ""
    assert (BEGIN in left, LAUNCHED in left, DEAD in left) == (False, False, True)


# ---- turns -----------------------------------------------------------------------------------------------
def what_lines_up_is_on_one_list(ledger: Ledger) -> None:
    begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    assert ledger.turns.line_up("r", [part]) == 1
    assert (parts(ledger), ledger.turns.waiting()) == ([], ["r"])
    assert ledger.firings.get(part.key).attempts == ()  # type: ignore[union-attr]
    (again,) = ledger.turns.claim("r", 10, 10).firings
    assert (parts(ledger), ledger.turns.waiting()) == ([BEGIN], [])
    assert again.key == part.key
    assert refused(lambda: ledger.firings.launched(part, "act"))


def what_lines_up_is_held_by_nobody(ledger: Ledger) -> None:
    begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    ledger.turns.line_up("r", [part])
    assert refused(lambda: ledger.firings.launched(part, "act"))


def a_firing_that_was_lost_does_not_line_up(ledger: Ledger) -> None:
    begun(ledger)
    (part,) = ledger.firings.claim("act", 10, 10).firings
    assert ledger.turns.line_up("r", [replace(part, lease="another")]) == 0
    assert (parts(ledger), ledger.turns.waiting()) == ([BEGIN], [])


# ---- trials ----------------------------------------------------------------------------------------------
def a_trial_takes_no_firings_place(ledger: Ledger) -> None:
    firing = begun(ledger)
    made = Grant(firing.key, TRIGGER.id, "task", OBJECT, 0, 1, 1, EVENT.to_json(), "act")
    assert not ledger.by_hand.try_out(made, "me")
    assert ledger.firings.get(firing.key).occurrence == 1  # type: ignore[union-attr]


# ---- own edits -------------------------------------------------------------------------------------------
def _judged(ledger: Ledger, changed_ms: int) -> str:
    return ledger.edits.judge_each([(TRIGGER.id, OBJECT, changed_ms)])[0]


def an_edit_is_undecided_until_it_is_settled(ledger: Ledger) -> None:
    firing, after = begun(ledger), task_event(changed_ms=2_000, tags=("a",))
    assert _judged(ledger, 2_000) == "other"
    assert ledger.edits.announce(firing, "tasks", EVENT, replace(after, changed_ms=1_000))
    assert (_judged(ledger, 1_000), _judged(ledger, 2_000)) == ("other", "undecided")
    assert ledger.firings.get(firing.key).editing  # type: ignore[union-attr]
    assert ledger.edits.settle(firing, after)
    assert (_judged(ledger, 1_000), _judged(ledger, 2_000), _judged(ledger, 2_001)) == ("other", "own", "other")
    assert not ledger.firings.get(firing.key).editing  # type: ignore[union-attr]


def an_edit_beside_somebody_elses_fires(ledger: Ledger) -> None:
    firing, foreseen = begun(ledger), task_event(tags=("a",))
    assert ledger.edits.announce(firing, "tasks", EVENT, foreseen)
    assert not ledger.edits.settle(firing, task_event(changed_ms=2_000, tags=("a", "b")))
    assert _judged(ledger, 2_000) == "other"


def an_object_that_somebody_has_changed_is_not_announced(ledger: Ledger) -> None:
    firing, later = begun(ledger), task_event(changed_ms=1_500)
    assert not ledger.edits.announce(firing, "tasks", later, later)
    ledger.store.client.zadd(ledger.keys.seen("tasks"), {OBJECT: 1_500})
    assert ledger.edits.announce(firing, "tasks", later, later)


def own_edits_follow_one_another(ledger: Ledger) -> None:
    firing = begun(ledger)
    for changed_ms in (2_000, 3_000):
        before = task_event(changed_ms=changed_ms - 1_000)
        assert ledger.edits.announce(firing, "tasks", before, before)
        assert ledger.edits.settle(firing, task_event(changed_ms=changed_ms))
    assert [_judged(ledger, ms) for ms in (1_000, 2_000, 3_000)] == ["other", "own", "own"]


def an_edit_of_a_firing_that_has_ended_is_over(ledger: Ledger) -> None:
    firing = begun(ledger)
    ledger.edits.announce(firing, "tasks", EVENT, EVENT)
    ledger.firings.give_up(firing, "dispatch", "why")
    assert _judged(ledger, 2_000) == "other"


def a_lost_owner_announces_and_settles_nothing(ledger: Ledger) -> None:
    lost = replace(begun(ledger), lease="another")
    assert refused(lambda: ledger.edits.announce(lost, "tasks", EVENT, EVENT))
    assert refused(lambda: ledger.edits.settle(lost, EVENT))
    assert _judged(ledger, 2_000) == "other"
