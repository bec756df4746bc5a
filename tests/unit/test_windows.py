"""From where a poll reads, and how far it has read: one rule a test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triggers.base.settings import Settings
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model import make_trigger
from triggers.sources.windows import BEHIND_MS, CLOCK_TOLERANCE_MS, Window, advance, choose_window

NOW = 1_800_000_000_000
SETTINGS = Settings(overlap_seconds=30, sweep_every_seconds=600, sweep_window_seconds=900)
#: a cursor after a poll that has just done everything
DONE = Cursor(NOW, plan=3, overlapped_ms=NOW, swept_ms=NOW)
FRESH = Window(NOW, overlaps=False, sweeps=False, again=False)


def entry(since_ms: int = NOW - 3_600_000, version: int = 1) -> Entry:
    action = {"type": "task", "base_task_id": "b" * 32, "queue": "default"}
    return Entry(make_trigger("task", name=f"t{version}", action=action), since_ms, version, "script")


def test_nothing_is_read_for_nobody() -> None:
    assert choose_window(DONE, [], SETTINGS) is None


def test_the_first_poll_reads_from_the_oldest_registration() -> None:
    window = choose_window(Cursor(), [entry(NOW, 1), entry(NOW - 5, 2)], SETTINGS)
    assert window == Window(NOW - 5, overlaps=True, sweeps=True, again=True)


def test_an_idle_poll_reads_from_the_cursor() -> None:
    assert choose_window(DONE, [entry()], SETTINGS) == FRESH


@pytest.mark.parametrize(
    ("cursor", "back_seconds", "overlaps", "sweeps"),
    [
        (replace(DONE, overlapped_ms=NOW - 9_999), 0, False, False),
        (replace(DONE, overlapped_ms=NOW - 10_000), 50, True, False),
        (replace(DONE, overlapped_ms=NOW - 180_000), 220, True, False),
        (replace(DONE, overlapped_ms=0), 50, True, False),
        (replace(DONE, swept_ms=NOW - 599_999), 0, False, False),
        (replace(DONE, swept_ms=NOW - 600_000), 900, False, True),
        (replace(DONE, swept_ms=NOW - 1_200_000), 1_500, False, True),
        (replace(DONE, overlapped_ms=NOW - 10_000, swept_ms=0), 900, True, True),
    ],
)
def test_overlap_and_sweep_read_again_what_they_may_have_missed(
    cursor: Cursor, back_seconds: int, overlaps: bool, sweeps: bool
) -> None:
    window = choose_window(cursor, [entry()], SETTINGS)
    assert window == Window(NOW - back_seconds * 1000, overlaps, sweeps, again=False)


def test_nothing_is_read_from_before_every_registration() -> None:
    window = choose_window(replace(DONE, overlapped_ms=NOW - 10_000), [entry(NOW - 7_000)], SETTINGS)
    assert window is not None
    assert window.since_ms == NOW - 7_000


def test_a_new_trigger_is_read_from_its_registration_on_once_more() -> None:
    window = choose_window(DONE, [entry(), entry(NOW - 20_000, version=4)], SETTINGS)
    assert window == Window(NOW - 20_000, overlaps=False, sweeps=False, again=True)
    later = choose_window(DONE, [entry(), entry(NOW + 20_000, version=4)], SETTINGS)
    assert later is not None
    assert later.since_ms == NOW, "the others are read from the cursor all the same"


def test_the_last_page_moves_the_cursor_to_the_servers_time_and_takes_note_of_what_was_read() -> None:
    window = Window(NOW, overlaps=True, sweeps=False, again=False)
    moved = advance(DONE, window, 5, read_to_ms=NOW + 9_000, last=True, server_ms=NOW + 4_000)
    assert moved.cursor == Cursor(NOW + 4_000, 5, overlapped_ms=NOW + 4_000, swept_ms=NOW)
    assert not moved.stepped_back


def test_a_page_that_is_not_the_last_keeps_the_plan_and_the_windows() -> None:
    window = Window(NOW, overlaps=True, sweeps=True, again=True)
    moved = advance(DONE, window, 5, read_to_ms=NOW + 1_000, last=False, server_ms=NOW + 4_000)
    assert moved.cursor == replace(DONE, read_to_ms=NOW + 1_000)
    ahead = advance(DONE, window, 5, read_to_ms=NOW + 9_000, last=False, server_ms=NOW + 4_000)
    assert ahead.cursor.read_to_ms == NOW + 4_000, "never past the server's own time"
    behind = advance(DONE, window, 5, read_to_ms=NOW - 9_000, last=False, server_ms=NOW + 4_000)
    assert behind.cursor.read_to_ms == NOW, "never back without a reason"


@pytest.mark.parametrize(("behind_ms", "back"), [(CLOCK_TOLERANCE_MS, False), (CLOCK_TOLERANCE_MS + 1, True)])
def test_a_clock_that_was_set_back_takes_the_cursor_with_it(behind_ms: int, back: bool) -> None:
    moved = advance(DONE, FRESH, 3, read_to_ms=NOW, last=True, server_ms=NOW - behind_ms)
    assert moved.stepped_back is back
    assert moved.cursor == (Cursor(NOW - behind_ms, 3, ahead_ms=NOW, tail_ms=NOW + BEHIND_MS) if back else DONE)
    if back:
        window = choose_window(moved.cursor, [entry()], SETTINGS)
        assert window is not None
        assert window.sweeps


@pytest.mark.parametrize(
    ("cursor", "version", "waits"),
    [
        (replace(DONE, overlapped_ms=NOW - 10_000), 1, True),
        (replace(DONE, swept_ms=NOW - 600_000), 1, True),
        (DONE, 1, False),
        (replace(DONE, overlapped_ms=NOW - 10_000), 4, False),
        (replace(DONE, overlapped_ms=0, swept_ms=0, ahead_ms=NOW + 9_000), 1, False),
    ],
    ids=["overlap", "sweep", "nothing is read again", "a new trigger", "the clock was set back"],
)
def test_after_a_walk_that_was_cut_what_is_only_read_again_waits(cursor: Cursor, version: int, waits: bool) -> None:
    window = choose_window(cursor, [entry(version=version)], SETTINGS)
    assert window is not None
    assert window.fresh(cursor) == (FRESH if waits else window)
    assert (window.fresh(cursor) != window) is waits
