"""Whether an object that carries the key of a firing is its launch: every case."""

from __future__ import annotations

import pytest

from triggers.rules.recovery import DRAFT, Hit, Trace, judge_own, judge_own_by_server


def one(status: str = "queued", attempt: str = "n2") -> Hit:
    return Hit("this", status, attempt)


@pytest.mark.parametrize(
    ("hit", "trace", "verdict"),
    [
        (one(), Trace("launched", "this", "n2"), "own"),
        (one(DRAFT), Trace("waiting", "this", "n2"), "own"),
        (one(), Trace("waiting", None, ""), "undecided"),
        (one(), Trace("held", None, ""), "undecided"),
        (one(), Trace("waiting", "another", "n1"), "undecided"),
        (one(), Trace("launched", "another", "n2"), "other"),
        (one(DRAFT, "n2"), Trace("launched", "another", "n2"), "unknown"),
        (one(DRAFT, "n1"), Trace("launched", "another", "n2"), "own"),
        (one(DRAFT, "forgotten"), Trace("launched", "another", "n2"), "own"),
        (one(DRAFT, "n2"), Trace("launched", "found by its key", ""), "unknown"),
        (one(), Trace("dead", None, ""), "unknown"),
        (one(), Trace("skipped", "this", ""), "unknown"),
        (one(), None, "unknown"),
    ],
)
def test_by_the_ledger(hit: Hit, trace: Trace | None, verdict: str) -> None:
    assert judge_own(hit, trace) == verdict


@pytest.mark.parametrize(
    ("hit", "others", "verdict"),
    [
        (one(), [], "own"),
        (one(), [Hit("draft", DRAFT, "n1")], "own"),
        (one(DRAFT), [], "own"),
        (one(), [Hit("older", "completed", "n2")], "other"),
        (one(DRAFT, "n2"), [Hit("older", "completed", "n2")], "other"),
        (one(DRAFT, "n1"), [Hit("older", "completed", "n2")], "own"),
    ],
)
def test_by_the_server(hit: Hit, others: list[Hit], verdict: str) -> None:
    assert judge_own_by_server(hit, [*others, hit]) == verdict
    assert judge_own_by_server(hit, others) == verdict, "reads do not show it yet"


def test_a_draft_that_is_older_than_the_launch_is_no_copy_of_it() -> None:
    """The clone call arrived twice: both drafts carry the nonce of the attempt, and one of them was enqueued."""
    assert judge_own_by_server(one(DRAFT), [one(DRAFT), Hit("launch", "queued", "n2")]) == "own"
    assert judge_own_by_server(one(DRAFT), [Hit("launch", "queued", "n2"), one(DRAFT)]) == "other"


def test_the_oldest_is_the_launch_and_not_what_was_copied_from_it() -> None:
    assert judge_own_by_server(one(), [one(), Hit("copy", "queued", "n2")]) == "own"
