"""Every numbered case of `explain.judge`, from facts alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from triggers.explain.checks import moment
from triggers.explain.judge import judge
from triggers.explain.values import Explanation, Facts, Open, Read, Slot
from triggers.ledger.firings.firing import Firing
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model import make_trigger
from triggers.model.events import Event
from triggers.rules.conditions import evaluate
from triggers.rules.policies import Mark
from triggers.sources.windows import Window

SINCE, READ_TO, NOW = 1_000_000, 2_000_000, 2_001_000
TRIGGER = make_trigger(
    "task",
    name="retry",
    trigger_on_status=["failed"],
    action={"type": "task", "base_task_id": "base", "queue": "default"},
)
FAILED = Event("task", "o" * 32, 1_500_000, "train", status="failed")
FIRED = Mark(1, True, FAILED.changed_ms, FAILED.changed_ms)


def facts(**changes: Any) -> Facts:
    """A failed task that the trigger has not fired for, read and matched."""
    usual = Facts(
        entry=Entry(TRIGGER, SINCE, 5, "script", declared=TRIGGER.digest),
        object_id=FAILED.id,
        now=FAILED,
        seen=FAILED,
        known_ms=FAILED.changed_ms,
        waits_for_match=False,
        index_leads=True,
        mark=Mark(),
        firings=(),
        launched_by="",
        is_service_task=False,
        read=Read(Cursor(READ_TO, 5), Window(READ_TO, False, False, False), READ_TO - 900_000, NOW - 1000, NOW),
        room=10,
        slot=None,
    )
    return replace(usual, **changes)


def firing(state: str, **fields: Any) -> Firing:
    values = {
        "key": "k" * 32, "trigger": TRIGGER.id, "kind": "task", "object": FAILED.id, "occurrence": 1,
        "changed_ms": FAILED.changed_ms, "granted_ms": 1_600_000, "polled_ms": 1_550_000, "event": FAILED.to_json(),
        "state": state, "lease": "", "attempts": (), "failures": 0, "task": None, "withdrawing": None,
        "reason": "", "ended_ms": 1_700_000,
    }  # fmt: skip
    return Firing(**{**values, **fields})


def said(**changes: Any) -> Explanation:
    return judge(facts(**changes))


def test_an_object_that_nobody_knows() -> None:
    assert said(now=None, seen=None, known_ms=None).answer == "no such object"


def test_an_object_that_is_gone() -> None:
    assert said(now=None).because == "the object no longer exists on the server"
    fired = said(now=None, mark=FIRED, firings=(firing("launched", task="t1", changed_ms=1_400_000),))
    assert fired.answer == "fired"
    assert "t1" in fired.because


def test_an_object_that_is_gone_and_whose_changes_concerned_no_trigger() -> None:
    explained = said(now=None, seen=None)
    assert explained.answer == "does not fire"
    assert (
        explained.because
        == f"the object no longer exists on the server; its last change, {moment(1_500_000)}, was read"
    )


@pytest.mark.parametrize(
    ("state", "answer", "words"),
    [
        ("waiting", "waiting", "waits for launch"),
        ("held", "held", "is held: why"),
        ("dead", "dead", "given up: why"),
        ("skipped", "skipped", "skipped: why"),
        ("dropped", "dropped", "someone dropped"),
        ("launched", "fired", "it fired at"),
    ],
)
def test_the_last_firing_has_the_last_word(state: str, answer: str, words: str) -> None:
    explained = said(mark=FIRED, firings=(firing(state, reason="why"),))
    assert explained.answer == answer
    assert words in explained.because


def test_the_advice_on_a_dead_letter_names_the_verb() -> None:
    assert "dead retry kkkkkkkkkk" in said(mark=FIRED, firings=(firing("dead"),)).way_out


def test_the_service_task_is_no_event() -> None:
    assert "service task" in said(is_service_task=True).because


def test_a_change_before_registration() -> None:
    early = replace(FAILED, changed_ms=SINCE - 1)
    explained = said(now=early, seen=early)
    assert "before the trigger was registered" in explained.because
    assert [c.passes for c in explained.checks if c.name == "registration"] == [False]
    assert "replay" in explained.way_out


def test_the_failing_clause_is_named_with_both_values() -> None:
    running = replace(FAILED, status="in_progress")
    explained = said(now=running, seen=running)
    assert explained.because == "trigger_on_status: wanted status failed, found in_progress"
    (row,) = [row for row in explained.clauses if row.name == "trigger_on_status"]
    assert row.now == row.seen
    assert row.now is not None
    assert not row.now.holds


def test_a_condition_that_held_at_the_change_that_was_stored_last() -> None:
    again = replace(FAILED, status="queued", changed_ms=1_800_000)
    for known_ms in (FAILED.changed_ms, again.changed_ms, None):
        assert f"; the condition held when it changed {moment(1_500_000)}" in said(now=again, known_ms=known_ms).because
    assert "condition held" not in said(now=again, seen=again).because


def test_an_object_that_fired_and_left_the_condition_has_fired() -> None:
    again = replace(FAILED, status="queued", changed_ms=1_800_000)
    explained = said(now=again, seen=again, mark=FIRED, firings=(firing("launched", task="t1"),))
    assert explained.answer == "fired"
    assert "in its present state, it would not: trigger_on_status" in explained.because


def test_what_the_trigger_itself_launched() -> None:
    assert "launched it itself" in said(launched_by=TRIGGER.id).because
    assert said(launched_by="task:another", waits_for_match=True).answer == "will fire"


def test_once_per_object_and_its_memory_outlives_the_record() -> None:
    later = replace(FAILED, changed_ms=1_800_000)
    explained = said(now=later, seen=later, mark=FIRED)
    assert explained.answer == "fired"
    assert "once per object" in explained.because


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"fire": "on_transition"}, "true ever since"),
        ({"fire": "while_true", "cooldown_minutes": 60}, "at least 60 min"),
    ],
)
def test_repeating_triggers_say_what_they_wait_for(policy: dict[str, Any], words: str) -> None:
    trigger = TRIGGER.model_copy(update={"policy": type(TRIGGER.policy)(**policy)})
    later = replace(FAILED, changed_ms=1_800_000)
    explained = said(entry=replace(facts().entry, trigger=trigger), now=later, seen=later, mark=FIRED)
    assert explained.answer == "does not fire"
    assert words in explained.because


def test_a_batch_that_waits() -> None:
    assert "is waiting to be matched" in said(waits_for_match=True).because


def test_a_change_that_was_matched_with_another_condition() -> None:
    explained = said()
    assert explained.answer == "does not fire"
    assert "an edit counts from the object's next change" in explained.because


def test_a_change_that_the_next_poll_reads() -> None:
    fresh = replace(FAILED, changed_ms=READ_TO + 10)
    explained = said(now=fresh, seen=None, known_ms=None)
    assert (explained.answer, explained.way_out) == ("will fire", "")
    late = replace(facts().read, due_ms=NOW - 60_000)
    assert "doctor" in said(now=fresh, seen=None, known_ms=None, read=late).way_out
    paused = replace(facts().entry, paused=True)
    assert "held, since the trigger is paused" in said(now=fresh, seen=None, known_ms=None, entry=paused).because


def test_a_trigger_that_no_poll_was_made_with_yet() -> None:
    new = replace(facts().entry, version=6)
    read = replace(facts().read, window=Window(SINCE, False, False, again=True))
    explained = said(entry=new, read=read)
    assert explained.answer == "will fire"
    assert "the next poll with this trigger reads it" in explained.because


def test_a_change_that_became_visible_late_is_the_sweep_s() -> None:
    assert "the next sweep" in said(seen=None, known_ms=None).because


def test_a_change_before_what_polls_read() -> None:
    read = replace(facts().read, sweep_ms=READ_TO - 100_000)
    explained = said(seen=None, known_ms=None, read=read)
    assert explained.answer == "does not fire"
    assert "do not look that far back" in explained.because


def test_pace_and_slot_are_checks_of_their_own() -> None:
    busy = said(room=0, slot=Slot(TRIGGER.id, "k" * 32, "t1", "in_progress"))
    failed = {check.name: check.words for check in busy.checks if check.passes is False}
    assert failed == {
        "max_per_minute": "0 more launches may begin in this minute",
        "single_instance": "ClearML task t1 is in_progress",
    }
    free = said(slot=Slot(TRIGGER.id, "k" * 32, "t1", "completed"))
    assert [check.passes for check in free.checks if check.name == "single_instance"] == [True]


def test_the_clauses_are_those_of_the_decision() -> None:
    explained = said()
    decided = evaluate(TRIGGER, FAILED)
    assert [(r.name, r.wanted, r.now and r.now.holds) for r in explained.clauses] == [
        (c.name, c.wanted, c.holds) for c in decided.clauses
    ]


def test_a_change_that_concerned_no_trigger_is_read_and_later_on_no_record() -> None:
    running = replace(FAILED, status="in_progress")
    long_ago = replace(running, changed_ms=facts().read.sweep_ms - 1)
    for now, known_ms, passes, words in (
        (running, running.changed_ms, True, "was read;"),
        (running, None, False, "not read (on a busy server, polls read only changes that can concern a trigger)"),
        (FAILED, None, False, "was not read;"),
        (long_ago, None, None, "no record of its change"),
    ):
        reading = next(c for c in said(now=now, seen=None, known_ms=known_ms).checks if c.name == "reading")
        assert reading.passes is passes
        assert words in reading.words


def held_by(hold: str, **changes: Any) -> Explanation:
    stale = firing("held", reason="single instance: firing x is being launched")
    return said(mark=FIRED, firings=(stale,), open=Open(hold=hold), **changes)


def test_what_holds_a_firing_is_shown_as_it_is_now_with_a_command_that_helps() -> None:
    running = held_by("slot:a slot", slot=Slot("a slot", "f" * 32, "t1", "queued"))
    assert "ClearML task t1 is queued" in running.because
    assert "clearml-triggers slots release --force 'a slot'" in running.way_out
    assert "stop it in ClearML" in running.way_out
    ended = held_by("slot:s", slot=Slot("s", "f" * 32, "t1", "completed"))
    assert "has ended (completed)" in ended.because
    fails = held_by("slot:s", slot=Slot("s", "f" * 32, failures=3, next_ms=NOW + 240_000))
    assert "is failing (3 of 10, next in 4 min)" in fails.because
    assert "failing retry ffffffffff" in fails.way_out
    paced = held_by("pace:task:retry", per_minute=5)
    assert "at most 5 a minute" in paced.because
    assert "holds release pace:task:retry" in paced.way_out
    entry = replace(facts().entry, paused=True)
    assert "clearml-triggers resume retry" in held_by("pause:task:retry", entry=entry).way_out
    for explained in (running, ended, fails, paced):
        assert "is being launched" not in explained.because


def test_a_failing_firing_says_how_far_it_has_come_and_how_to_retry_it_now() -> None:
    failed = firing("waiting", failures=7, reason="no such queue")
    explained = said(mark=FIRED, firings=(failed,), open=Open(NOW + 240_000, "dispatch"))
    assert (explained.answer, explained.fires) == ("failing", False)
    assert "failing (7 of 10, next in 4 min): no such queue" in explained.because
    assert "failing retry kkkkkkkkkk" in explained.way_out


@pytest.mark.parametrize(
    ("lane", "words", "way_out"),
    [("dispatch", "no dispatch worker", "doctor"), ("caller", "the script", "start the script")],
)
def test_a_firing_that_nobody_takes_has_a_hint_like_polls(lane: str, words: str, way_out: str) -> None:
    for failures in (0, 2):
        waits = firing("waiting", failures=failures)
        explained = said(mark=FIRED, firings=(waits,), open=Open(NOW - 90_000, lane))
        assert words in explained.because
        assert way_out in explained.way_out
    fresh = said(mark=FIRED, firings=(firing("waiting"),), open=Open(NOW - 1000, lane))
    assert (fresh.answer, fresh.way_out) == ("waiting", "")


def test_events_that_nobody_matches_have_a_hint_like_polls() -> None:
    late = said(waits_for_match=True, unmatched_ms=NOW - 90_000)
    assert late.answer == "will fire"
    assert "no match worker" in late.because
    assert "doctor" in late.way_out
    assert said(waits_for_match=True, unmatched_ms=NOW - 1000).way_out == ""


@pytest.mark.parametrize("place", ["now", "seen"])
def test_an_object_of_another_kind(place: str) -> None:
    """What is asked of such an object, and which polls read it, says nothing."""
    other = Event("model", FAILED.id, FAILED.changed_ms, "weights", ready=True)
    explained = said(**{"now": None, "seen": None, "known_ms": None, place: other})
    because = f"trigger 'retry' is for ClearML tasks, and {FAILED.id} is a model: wanted a task, found a model"
    assert (explained.answer, explained.because) == ("does not fire", because)
    assert explained.way_out == f"`clearml-triggers explain {FAILED.id}` checks the triggers that watch such objects"
    assert explained.clauses == ()
    assert [check.name for check in explained.checks] == ["declared", "pause"]


def test_a_dataset_is_a_clearml_task_too() -> None:
    assert "is for" not in said(now=Event("dataset", FAILED.id, FAILED.changed_ms, "d", status="failed")).because
