"""`fire` as a state machine: every transition of a mark, case by case."""

from __future__ import annotations

import pytest

from triggers.model import Policy
from triggers.rules.policies import Decision, FireMode, Mark, arm, decide, decide_by, limit_of

NEW = Mark()
FIRED = Mark(1, active=True, changed_ms=100, fired_ms=100)
DISARMED = Mark(1, active=False, changed_ms=150, fired_ms=100)
#: what `finish.lua` makes of a mark when it skips
SKIPPED = Mark(1, active=False, changed_ms=100, fired_ms=0)
STAY, MINUTE = None, 60_000


@pytest.mark.parametrize(
    ("mode", "mark", "matched", "changed_ms", "becomes", "granted"),
    [
        ("once", NEW, True, 100, FIRED, 1),
        ("once", NEW, False, 100, STAY, None),
        ("once", FIRED, True, 200, STAY, None),
        ("once", FIRED, False, 200, STAY, None),
        ("once", SKIPPED, True, 100, STAY, None),  # the same change is not considered again
        ("once", SKIPPED, True, 101, Mark(1, True, 101, 101), 1),  # the next one is, under the same key
        ("on_transition", NEW, True, 100, FIRED, 1),
        ("on_transition", NEW, False, 100, STAY, None),
        ("on_transition", FIRED, True, 200, Mark(1, True, 200, 100), None),
        ("on_transition", FIRED, False, 150, DISARMED, None),
        ("on_transition", FIRED, False, 100, Mark(1, False, 100, 100), None),  # changed again within that millisecond
        ("on_transition", FIRED, False, 99, STAY, None),  # late: an older change never alters a mark
        ("on_transition", DISARMED, True, 200, Mark(2, True, 200, 200), 2),
        ("on_transition", DISARMED, True, 150, STAY, None),
        ("on_transition", DISARMED, True, 149, STAY, None),
        ("on_transition", DISARMED, False, 200, STAY, None),
        ("on_transition", SKIPPED, True, 101, Mark(2, True, 101, 101), 2),
        ("while_true", NEW, True, 100, FIRED, 1),
        ("while_true", NEW, False, 100, STAY, None),
        ("while_true", FIRED, True, 100 + MINUTE - 1, STAY, None),
        ("while_true", FIRED, True, 100 + MINUTE, Mark(2, True, 100 + MINUTE, 100 + MINUTE), 2),
        ("while_true", FIRED, False, 100 + MINUTE, STAY, None),
        ("while_true", SKIPPED, True, 101, Mark(2, True, 101, 101), 2),  # a skip starts no cooldown
    ],
)
def test_transitions(
    mode: FireMode, mark: Mark, matched: bool, changed_ms: int, becomes: Mark | None, granted: int | None
) -> None:
    decision = decide(mode, MINUTE, mark, matched=matched, changed_ms=changed_ms)
    assert decision == Decision(becomes or mark, changed=becomes is not None, occurrence=granted)


def test_a_policy_decides_with_its_cooldown_in_minutes() -> None:
    policy = Policy(fire="while_true", cooldown_minutes=1.5)
    assert decide_by(policy, FIRED, matched=True, changed_ms=90_099).occurrence is None
    assert decide_by(policy, FIRED, matched=True, changed_ms=90_100).occurrence == 2


def test_the_limit_is_the_triggers_own_where_it_has_one() -> None:
    assert limit_of(Policy(), 1_000) == 1_000
    assert limit_of(Policy(max_per_minute=5), 1_000) == 5
    assert limit_of(Policy(max_per_minute=0), 1_000) == 0


@pytest.mark.parametrize("mark", [NEW, FIRED, DISARMED, SKIPPED, Mark(12, True, 1_800_000_000_000, 0)])
def test_a_mark_survives_its_text(mark: Mark) -> None:
    assert Mark.from_text(mark.to_text()) == mark


def test_no_text_is_an_object_never_seen() -> None:
    assert Mark.from_text("") == NEW


def test_an_own_edit_arms_without_a_firing_unless_something_newer_is_known() -> None:
    was_false = Mark(1, False, 100, 50)
    assert arm(was_false, 200) == Decision(Mark(1, True, 200, 50), changed=True, occurrence=None)
    for earlier in (99, 100):
        assert arm(was_false, earlier) == Decision(was_false, changed=False, occurrence=None)
