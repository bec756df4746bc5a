"""What follows from clocks of the ClearML server that differ or are set back: one rule a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triggers.ledger.polling.batches import Batch
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model import make_trigger
from triggers.rules.policies import STAMP_TOLERANCE_MS, Mark, decide
from triggers.sources.windows import BEHIND_MS, LOST_TOLERANCE_MS, Window, advance
from triggers.stages.server_clock import latest_stamp
from triggers.sync.clocks import DOUBTED_MS, SAME_MS, Measured, correction, measure

NOW = 1_800_000_000_000
HOUR = 3_600_000
DONE = Cursor(NOW, plan=3, overlapped_ms=NOW, swept_ms=NOW)
FRESH = Window(NOW, overlaps=False, sweeps=False, again=False)


def entry(since_ms: int) -> Entry:
    action = {"type": "task", "base_task_id": "b" * 32, "queue": "default"}
    return Entry(make_trigger("task", name="t", action=action), since_ms, 1, "script")


@pytest.mark.parametrize("took_ms", [0, 6_000, 20_000])
def test_clocks_that_agree_do_not_differ_however_long_it_took(took_ms: int) -> None:
    for stamped_after in (0, took_ms):
        for asked_ms in (NOW - 1_000, NOW - 2_999):  # `Answer.server_ms` of a call that was asked at NOW
            measured = measure(NOW + stamped_after, asked_ms, took_ms)
            assert not measured.differs
            assert correction(measured, 0, False) == (0, False)


@pytest.mark.parametrize("ahead_ms", [-20 * HOUR, -1_200_000, -90_000, 90_000, HOUR])
def test_a_large_difference_counts_at_once_and_stays_until_it_is_another(ahead_ms: int) -> None:
    measured = measure(NOW + ahead_ms, NOW - 1_500, 40)
    counts, doubted = correction(measured, 0, False)
    assert not doubted
    assert ahead_ms - 3_000 < counts <= ahead_ms, "never more than it is: the cursor must not pass what is stamped"
    for asked_ms in (NOW - 1_000, NOW - 2_000):
        assert correction(measure(NOW + ahead_ms, asked_ms, 300), counts, False) == (counts, False)
    assert correction(measure(NOW, NOW - 1_500, 40), counts, False) == (0, False)


def test_a_small_difference_is_measured_twice() -> None:
    measured = Measured(-20_000, -18_000)
    assert correction(measured, 0, False) == (0, True)
    assert correction(measured, 0, True) == (-20_000, False)
    assert DOUBTED_MS > SAME_MS


def test_the_cursor_remembers_where_it_stood_until_that_time_comes_again() -> None:
    moved = advance(DONE, FRESH, 3, read_to_ms=NOW - HOUR, last=True, server_ms=NOW - HOUR)
    assert moved.stepped_back
    assert moved.cursor == Cursor(NOW - HOUR, 3, ahead_ms=NOW, tail_ms=NOW + BEHIND_MS)
    halfway = advance(moved.cursor, FRESH, 3, read_to_ms=NOW - 1, last=True, server_ms=NOW - 1)
    assert halfway.cursor.ahead_ms == NOW
    again = advance(halfway.cursor, FRESH, 3, read_to_ms=NOW, last=True, server_ms=NOW)
    assert again.cursor.ahead_ms == 0
    assert again.cursor.tail_ms == NOW + BEHIND_MS
    assert advance(again.cursor, FRESH, 3, read_to_ms=NOW, last=True, server_ms=NOW + BEHIND_MS).cursor.tail_ms == 0


def test_a_page_after_the_step_leaves_the_others_to_be_read() -> None:
    """Whatever ends the poll after its first page: the next one reads what they have, for new triggers as well."""
    moved = advance(DONE, FRESH, 4, read_to_ms=NOW - 2 * HOUR, last=False, server_ms=NOW - HOUR)
    assert moved.stepped_back
    assert moved.cursor == Cursor(NOW - 2 * HOUR, DONE.plan, ahead_ms=NOW, tail_ms=NOW + BEHIND_MS)


def test_a_clock_set_back_twice_is_remembered_from_the_highest() -> None:
    first = advance(DONE, FRESH, 3, read_to_ms=0, last=True, server_ms=NOW - HOUR)
    second = advance(first.cursor, FRESH, 3, read_to_ms=0, last=True, server_ms=NOW - 2 * HOUR)
    assert second.cursor == Cursor(NOW - 2 * HOUR, 3, ahead_ms=NOW, tail_ms=NOW - HOUR + BEHIND_MS)


def test_what_was_stamped_just_before_a_step_differs_from_what_was_stamped_before_an_earlier_one() -> None:
    """The tail counts for the poll that finds the clock set: for all its pages, and for nothing after them."""
    ahead = advance(DONE, FRESH, 3, read_to_ms=NOW + 5, last=False, server_ms=NOW + HOUR, idle_ms=9_000)
    assert not ahead.stepped_back
    assert ahead.tail_ms == ahead.cursor.tail_ms == NOW + 9_000 + BEHIND_MS
    last = advance(ahead.cursor, FRESH, 3, read_to_ms=NOW + HOUR, last=True, server_ms=NOW + HOUR)
    assert last.tail_ms == ahead.tail_ms
    assert last.cursor.tail_ms == 0
    batch = Batch("", 3, NOW + HOUR, (), latest_ms=NOW + HOUR, tail_ms=ahead.tail_ms)
    assert batch.latest_then_ms(NOW + 8_000) == ahead.tail_ms
    assert batch.latest_then_ms(NOW + HOUR - 1) == NOW + HOUR
    assert batch.latest_then_ms(NOW + 2 * HOUR) == NOW + HOUR, "stamped before the step before"


@pytest.mark.parametrize("faster_ms", [0, 2_000, 5_000])
def test_a_server_whose_clock_goes_on_was_not_set_forward(faster_ms: int) -> None:
    server_ms = NOW + 60_000 + faster_ms
    moved = advance(DONE, FRESH, 3, read_to_ms=server_ms, last=True, server_ms=server_ms, idle_ms=60_000)
    assert moved.tail_ms == moved.cursor.tail_ms == 0


@pytest.mark.parametrize("idle_ms", [0, 1_000, HOUR, 24 * HOUR])
def test_a_server_whose_clock_goes_on_was_not_set_back(idle_ms: int) -> None:
    for slow_ms in (0, 20_000, LOST_TOLERANCE_MS - 1):
        server_ms = NOW + idle_ms - slow_ms if idle_ms >= slow_ms else NOW
        moved = advance(DONE, FRESH, 3, read_to_ms=server_ms, last=True, server_ms=server_ms, idle_ms=idle_ms)
        assert not moved.stepped_back
        assert moved.cursor.read_to_ms == server_ms


def test_a_clock_that_lost_time_while_nobody_polled_is_read_from_there() -> None:
    moved = advance(DONE, FRESH, 3, read_to_ms=NOW, last=True, server_ms=NOW + HOUR, idle_ms=2 * HOUR)
    assert moved.stepped_back
    assert moved.cursor == Cursor(NOW - HOUR, 3, tail_ms=NOW + 2 * HOUR + BEHIND_MS)


def test_a_source_that_was_never_read_has_lost_nothing() -> None:
    moved = advance(Cursor(), FRESH, 3, read_to_ms=NOW, last=True, server_ms=NOW, idle_ms=NOW + HOUR)
    assert not moved.stepped_back


def test_a_trigger_of_before_the_step_counts_what_comes_after_it() -> None:
    back = entry(NOW).set_back(NOW - HOUR, 7, 1)
    latest_ms = NOW - HOUR + 60_000
    assert back.counts(NOW - HOUR, latest_ms)
    assert back.counts(latest_ms, latest_ms)
    assert not back.counts(NOW - 1, latest_ms), "it was stamped before the step, and before the registration"
    assert back.counts(NOW, latest_ms)
    assert not back.counts(NOW - HOUR - 1, latest_ms)
    assert not back.counts(NOW - 1, latest_ms, 6)
    assert back.counts(NOW - 1, latest_ms, 7), "what was stamped before the registration had been read by then"
    assert not back.counts(NOW - HOUR - 1, latest_ms, 7)
    assert back.set_back(NOW - 2 * HOUR, 8, 6).ahead_ms == NOW, "what changed since the first step was not read"
    assert back.set_back(NOW - 2 * HOUR, 8, 7).ahead_ms == NOW - HOUR, "it was read: what was not is new"


FIRED = Mark(1, True, NOW, NOW)


def after(mark: Mark, changed_ms: int, mode: str = "on_transition", matched: bool = True, minutes: int = 0) -> Mark:
    decision = decide(
        mode,  # type: ignore[arg-type]
        minutes * 60_000,
        mark,
        matched=matched,
        changed_ms=changed_ms,
        latest_ms=changed_ms + 1_000,
    )
    return decision.mark


def test_a_mark_of_before_the_step_is_older_than_what_is_stamped_after_it() -> None:
    left = after(FIRED, NOW - HOUR, matched=False)
    assert (left.active, left.changed_ms) == (False, NOW - HOUR)
    assert after(left, NOW - HOUR + 5) == Mark(2, True, NOW - HOUR + 5, NOW - HOUR + 5)
    assert after(FIRED, NOW - HOUR, "while_true").occurrence == 2
    assert after(FIRED, NOW - HOUR, "once") == FIRED
    skipped = replace(FIRED, active=False, fired_ms=0)
    assert after(skipped, NOW - HOUR, "once").fired_ms == NOW - HOUR, "the next change of a skipped object counts"


def test_a_cooldown_is_counted_from_the_first_change_after_the_step() -> None:
    first = after(FIRED, NOW - HOUR, "while_true", minutes=10)
    assert first == Mark(1, True, NOW - HOUR, NOW - HOUR)
    assert after(first, NOW - HOUR + 599_999, "while_true", minutes=10).occurrence == 1
    assert after(first, NOW - HOUR + 600_000, "while_true", minutes=10).occurrence == 2


def test_what_was_stamped_before_the_step_is_decided_as_it_was() -> None:
    """Read again after it, it is not newer than its mark."""
    decision = decide("on_transition", 0, FIRED, matched=False, changed_ms=NOW - 5, latest_ms=NOW - HOUR)
    assert not decision.changed
    assert decide("while_true", 0, FIRED, matched=True, changed_ms=NOW, latest_ms=NOW - HOUR).occurrence is None


def test_a_late_change_is_older_than_its_mark_where_no_clock_was_set_back() -> None:
    decision = decide("on_transition", 0, FIRED, matched=False, changed_ms=NOW - 20_000, latest_ms=NOW + 1_000)
    assert not decision.changed


def test_how_late_a_stamp_can_be_is_known_better_once_the_clock_is_known_to_have_been_set_back() -> None:
    assert latest_stamp(DONE, NOW, 20.0) == NOW + STAMP_TOLERANCE_MS
    assert latest_stamp(replace(DONE, ahead_ms=NOW + 45_000), NOW, 2.0) == NOW + 8_000
