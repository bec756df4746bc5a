"""Occurrences are granted once each, however their events are delivered: twice, late, in another order, after skips.

The model of a history of one object is the list of its changes as (time, whether the condition holds). What was
granted is compared with what the meaning of each mode says of the whole history.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.property.ledger.profile import profile
from triggers.rules.policies import FireMode, Mark, decide

MODES: list[FireMode] = ["once", "on_transition", "while_true"]

#: gaps and truth of the changes of one object, in the order of their times
histories = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=25).map(
    lambda gaps: [(sum(gap for gap, _ in gaps[: n + 1]), holds) for n, (_, holds) in enumerate(gaps)]
)
History = list[tuple[int, bool]]


class Matcher:
    """The mark of one object, and all that was granted by it."""

    def __init__(self, mode: FireMode, cooldown_ms: int) -> None:
        self.mode, self.cooldown_ms, self.mark = mode, cooldown_ms, Mark()
        self.granted: list[tuple[int, int]] = []

    def deliver(self, changed_ms: int, holds: bool) -> int | None:
        decision = decide(self.mode, self.cooldown_ms, self.mark, matched=holds, changed_ms=changed_ms)
        assert decision.changed == (decision.mark != self.mark)
        assert decision.mark.changed_ms >= self.mark.changed_ms
        assert decision.mark.occurrence >= self.mark.occurrence
        self.mark = Mark.from_text(decision.mark.to_text())
        if decision.occurrence is not None:
            assert holds
            self.granted.append((decision.occurrence, changed_ms))
        return decision.occurrence

    def skip(self) -> None:
        """As `finish.lua` releases a key."""
        self.mark = Mark(self.mark.occurrence, False, self.mark.changed_ms, 0)


def meant(mode: FireMode, cooldown_ms: int, history: History) -> list[int]:
    """The times at which a trigger of that mode fires, from its meaning."""
    if mode == "once":
        return [at for at, holds in history if holds][:1]
    if mode == "on_transition":
        before = [(0, False), *history]
        return [at for (_, held), (at, holds) in pairwise(before) if holds and not held]
    fired: list[int] = []
    for at, holds in history:
        if holds and (not fired or at - fired[-1] >= cooldown_ms):
            fired.append(at)
    return fired


@profile(300)
@given(st.sampled_from(MODES), st.integers(0, 60), histories)
def test_events_in_order_fire_as_the_mode_means(mode: FireMode, cooldown_ms: int, history: History) -> None:
    matcher = Matcher(mode, cooldown_ms)
    for change in history:
        matcher.deliver(*change)
    assert [at for _, at in matcher.granted] == meant(mode, cooldown_ms, history)
    assert [number for number, _ in matcher.granted] == list(range(1, len(matcher.granted) + 1))


@profile(300)
@given(st.sampled_from(MODES), st.integers(0, 60), histories, st.randoms(use_true_random=False))
def test_events_again_change_nothing(mode: FireMode, cooldown_ms: int, history: History, dice: random.Random) -> None:
    """Whatever of the past is delivered again in between, and how often."""
    matcher = Matcher(mode, cooldown_ms)
    for position, change in enumerate(history):
        matcher.deliver(*change)
        for _ in range(dice.randrange(4)):
            matcher.deliver(*dice.choice(history[: position + 1]))
    assert [at for _, at in matcher.granted] == meant(mode, cooldown_ms, history)


@profile(300)
@given(st.sampled_from(MODES), st.integers(0, 60), histories, st.randoms(use_true_random=False), st.booleans())
def test_no_occurrence_and_no_change_is_granted_twice(
    mode: FireMode, cooldown_ms: int, history: History, dice: random.Random, skips: bool
) -> None:
    """In any order, with repetitions, with skips by the dispatcher at any moment."""
    deliveries = history * 3
    dice.shuffle(deliveries)
    matcher = Matcher(mode, cooldown_ms)
    for change in deliveries:
        matcher.deliver(*change)
        if skips and matcher.granted and dice.randrange(3) == 0:
            matcher.skip()
    assert max(Counter(at for _, at in matcher.granted).values(), default=1) == 1
    if not skips:
        assert max(Counter(number for number, _ in matcher.granted).values(), default=1) == 1
    if mode == "once" and not skips:
        assert len(matcher.granted) <= 1
    times = [at for _, at in matcher.granted]
    assert times == sorted(times), "an older change fires nothing after a newer one"
    if mode == "while_true" and not skips:
        assert all(later - earlier >= cooldown_ms for earlier, later in pairwise(times))


@profile(200)
@given(histories, st.randoms(use_true_random=False))
def test_an_object_that_ever_met_the_condition_fires_once_in_any_order(history: History, dice: random.Random) -> None:
    deliveries = list(history)
    dice.shuffle(deliveries)
    matcher = Matcher("once", 0)
    for change in deliveries:
        matcher.deliver(*change)
    assert len(matcher.granted) == any(holds for _, holds in history)


@profile(200)
@given(st.sampled_from(MODES), histories)
def test_after_a_skip_only_the_next_change_is_considered(mode: FireMode, history: History) -> None:
    matcher = Matcher(mode, 0)
    for change in history:
        if matcher.deliver(*change) is not None:
            matcher.skip()
            assert matcher.deliver(*change) is None
    assert [at for _, at in matcher.granted] == [at for at, holds in history if holds]
