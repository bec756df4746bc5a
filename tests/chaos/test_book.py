"""What follows from what a person did, from a Redis that forgot, and from a copy of Redis that lags."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import lagging
from tests.chaos.book import Absence, Book
from tests.chaos.checker import missing, violations
from tests.chaos.facts import Facts
from tests.chaos.plan import Change, Clocks, Plan

ABSENCE = Absence(10.0, 11.0, 20.0, 21.0, frozenset({"returning-0"}))
CHANGED = {
    "returning-0": 5.0,  # ran before the trigger was retired
    "returning-1": 6.0,  # was under way then
    "returning-2": 12.0,  # while it was retired
    "returning-3": 18.0,  # within what the server's clocks differ of the return
    "returning-4": 30.0,
    "watched-0": 1.0,
    "watched-1": 1.0,
}
BOOK = Book(CHANGED, dropped={"watched-1"}, absences=[ABSENCE], apart=3.0)
PLAN = Plan(
    1,
    40.0,
    "fleet",
    Clocks(0, (), {}),
    0,
    tuple(Change(at, n.partition("-")[0], (n,)) for n, at in CHANGED.items()),
    (),
)


def run_of(*names: str, book: Book = BOOK, promotions: int = 0) -> Facts:
    """Facts of a run in which these objects ran, each as often as it is named."""
    launches = {f"launch {n}": (name.rpartition("-")[0], name) for n, name in enumerate(names)}
    return Facts(launches=launches, starts=list(launches), book=book, promotions=promotions)


@pytest.mark.parametrize("allowed", [(), ("returning-1",), ("returning-3",)])
def test_what_a_person_withholds_is_neither_lost_nor_doubled(allowed: tuple[str, ...]) -> None:
    facts = run_of("returning-0", "returning-4", "watched-0", *allowed)
    assert violations(PLAN, facts) == []
    assert missing(PLAN, facts) == []


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("returning-4", "watched-0"), "returning-0: 0 runs where exactly 1 were promised"),
        (("returning-0", "watched-0"), "returning-4: 0 runs where exactly 1 were promised"),
        (("returning-0", "returning-4"), "watched-0: 0 runs where exactly 1 were promised"),
        (("returning-0", "returning-4", "watched-0", "watched-1"), "watched-1: 1 runs where none were promised"),
        (("returning-0", "returning-2", "returning-4", "watched-0"), "returning-2: 1 runs where none were promised"),
        (
            ("returning-0", "returning-0", "returning-4", "watched-0"),
            "returning-0: 2 runs where exactly 1 were promised",
        ),
        (
            ("returning-0", "returning-3", "returning-3", "returning-4", "watched-0"),
            "returning-3: 2 runs where 0 to 1 were promised",
        ),
    ],
)
def test_what_is_lost_doubled_or_launched_though_withheld_is_objected_to(names: tuple[str, ...], found: str) -> None:
    assert violations(PLAN, run_of(*names)) == [found]


def test_a_launch_during_a_confirmed_pause_is_objected_to() -> None:
    book = Book(CHANGED, dropped={"watched-1"}, absences=[ABSENCE], apart=3.0, early=["watched-0"])
    facts = run_of("returning-0", "returning-4", "watched-0", book=book)
    assert violations(PLAN, facts) == ["watched-0: launched during a confirmed pause"]


@pytest.mark.parametrize(("runs", "promotions", "well"), [(3, 1, True), (2, 1, True), (1, 1, False), (4, 1, False)])
def test_a_redis_that_forgot_misses_one_transition_and_doubles_none(runs: int, promotions: int, well: bool) -> None:
    plan = Plan(1, 9.0, "fleet", Clocks(0, (), {}), 0, (Change(1.0, "transition", ("transition-0",)),), ())
    assert (violations(plan, run_of(*["transition-0"] * runs, promotions=promotions)) == []) is well


def test_a_copy_that_lags_has_what_was_written_until_then(tmp_path: Path) -> None:
    folder = tmp_path / "appendonlydir"
    folder.mkdir()
    log, manifest = folder / "a.aof.1.incr.aof", folder / "a.aof.manifest"
    manifest.write_text("file a.aof.1.incr.aof seq 1 type i\n")
    log.write_text("one")
    copy = lagging.lengths(tmp_path)
    log.write_text("one two")
    assert lagging.take_back(tmp_path, copy)
    assert log.read_text() == "one"
    log.rename(folder / "a.aof.2.incr.aof")
    assert not lagging.take_back(tmp_path, copy), "it was rewritten"
