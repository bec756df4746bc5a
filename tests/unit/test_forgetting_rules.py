"""Which marks may be forgotten, and what their launches make of them again."""

from __future__ import annotations

import pytest

from triggers.rules.forgetting import MOST_OCCURRENCES, Forgotten, can_be_looked_up, looked_up, may_forget
from triggers.rules.policies import FireMode, Mark


@pytest.mark.parametrize(
    ("mode", "mark", "expected"),
    [
        ("once", Mark(1, True, 5, 5), True),
        ("once", Mark(1, False, 5, 0), False),  # skipped: its key is free
        ("once", Mark(1, False, 5, 5), False),  # fired under another mode
        ("while_true", Mark(3, True, 5, 5), True),
        ("on_transition", Mark(3, True, 5, 5), False),  # holds
        ("on_transition", Mark(3, False, 5, 5), True),
        ("on_transition", Mark(0, True, 5, 0), False),  # made true by the trigger's own edit
        ("while_true", Mark(MOST_OCCURRENCES, True, 5, 5), True),
        ("while_true", Mark(MOST_OCCURRENCES + 1, True, 5, 5), False),
    ],
)
def test_a_mark_can_be_looked_up_if_launches_say_all_of_it(mode: FireMode, mark: Mark, expected: bool) -> None:
    assert can_be_looked_up(mode, mark) == expected


@pytest.mark.parametrize(
    ("cooldown", "launched_ms", "expected"),
    [(0.0, 99, True), (0.0, 100, False), (0.0, None, False), (1.0, 99, False), (1.0, 100 - 60_001, True)],
)
def test_a_launch_that_is_there_and_over_lets_a_mark_go(
    cooldown: float, launched_ms: int | None, expected: bool
) -> None:
    assert may_forget(cooldown, launched_ms, 100) == expected


def test_the_last_launch_that_is_there_makes_the_mark() -> None:
    found = [(1, 10), (3, 30), (2, 20)]
    assert looked_up("once", Forgotten(1, 3, True), found) == Mark(3, True, 30, 30)
    assert looked_up("on_transition", Forgotten(1, 3, False), found) == Mark(3, False, 30, 30)
    assert looked_up("on_transition", Forgotten(1, 3, True), found) == Mark(3, True, 30, 30)
    assert looked_up("once", Forgotten(1, 3, True), []) == Mark()


@pytest.mark.parametrize("text", ["", "1 2", "a b c", "1 2 -3", "1 2 3 4", "1 ² 0"])
def test_a_corrupt_note_looks_everything_up(text: str) -> None:
    assert Forgotten.from_text(text) == Forgotten(0, MOST_OCCURRENCES, True)


def test_a_note_is_read_as_it_was_written() -> None:
    assert Forgotten.from_text("12 3 1") == Forgotten(12, 3, True)
    assert Forgotten.from_text("12 99 0") == Forgotten(12, MOST_OCCURRENCES, False)
