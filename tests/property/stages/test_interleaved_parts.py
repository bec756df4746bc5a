"""Firings with several actions, interleaved call by call with every fault there is: each part is lost nowhere.

One part that fails neither stops nor repeats another. A process dies, a reply is lost, Redis comes back empty or older,
a person retries and drops dead letters, at any step. Every seed is one history, as in `test_interleaved_stages`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import pytest
import redis

from tests.property.ledger.profile import FACTOR
from tests.property.stages import parts, promises
from tests.property.stages.actors import FAULTS
from tests.property.stages.histories import hold
from tests.property.stages.interleaving import ACTIONS, OUTCOMES, Action
from tests.property.stages.parts import InterleavedParts

HISTORIES = 40 * FACTOR
#: Clocks are set in `test_interleaved_stages`; parts know nothing of them.
OF_PARTS = [
    *(name for name in ACTIONS if name != "clock_steps"),
    *["acts"] * 25,
    *["launches"] * 5,
    "person_retries",
    "person_retries",
    "person_drops",
]


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    with parts.stepped_posts():
        yield


def plan_of(seed: int) -> list[Action]:
    dice = random.Random(f"parts {seed}")
    begin: list[Action] = [("object_fails", 0, 0, "ok")] * dice.randrange(1, 4)
    return [
        *begin,
        ("look", 0, 0, "ok"),
        *(
            (dice.choice(OF_PARTS), dice.randrange(12), dice.randrange(16), dice.choice(OUTCOMES))
            for _ in range(dice.randrange(20, 70))
        ),
    ]


def check(run: InterleavedParts) -> None:
    promises.check(run)
    parts.parts_are_as_granted(run)
    parts.no_part_is_done_twice(run)


def play(run: InterleavedParts, plan: Sequence[Action]) -> None:
    """Let the actions happen, then let everything come to rest; promises are looked at after each."""
    for action in plan:
        run.do(*action)
        check(run)
    run.faults_are_over()
    for _ in range(2 * len(run.objects) + 10):
        if not promises.missing(run) and not parts.missing_parts(run):
            break
        run.round()
        check(run)
    promises.the_history_is_consistent(run)
    assert not promises.missing(run), "not launched"
    assert (left := parts.missing_parts(run)) == [], "; ".join(left)


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_whatever_is_interleaved_no_part_is_lost_or_done_twice(
    redis_servers: list[redis.Redis], clock: SimpleNamespace
) -> None:
    seen = hold(HISTORIES, plan_of, lambda _: InterleavedParts(redis_servers, clock), play)
    assert all(seen["post", outcome] for outcome in FAULTS), "an action is cut off in every way"
