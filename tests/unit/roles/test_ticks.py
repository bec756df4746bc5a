"""Ticks begin what their stages do, for each scheduler in a thread of its own, and wait for none of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tests.deploy.hosts import eventually
from triggers.base.settings import settings
from triggers.clearml_api.calls import TALLY

Work = Callable[[Any, str], str]


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes the rounds of a stage; its schedulers are texts, and it is run as by the runtime of a process."""
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://localhost:1/0")
    settings.cache_clear()
    from workers import ticks

    def run(id_: str, work: Callable[[str], str], record: str) -> str:
        return work(id_)

    monkeypatch.setattr(ticks, "runtime", lambda: SimpleNamespace(run=run, name_of=str.upper, served=dict))
    made = []

    def make(work: Work, stage: str = "sync", **options: Any) -> Any:
        made.append(ticks.StageTicks(stage, lambda ctx, scheduler: work(ctx, str(scheduler)), **options))
        return made[-1]

    yield make
    for one in made:
        one.finish()
    settings.cache_clear()


def served(*names: str) -> Mapping[str, str]:
    return {name: name for name in names}


class Slow:
    """Work that goes on for some schedulers until it may go on."""

    def __init__(self, *hanging: str) -> None:
        self.hanging, self.go_on, self.began = hanging, threading.Event(), list[str]()

    def __call__(self, ctx: Any, scheduler: str) -> str:
        self.began.append(scheduler)
        if scheduler in self.hanging:
            assert self.go_on.wait(60)
        return f"done {self.began.count(scheduler)}"


def said(of: Any, *names: str) -> str:
    """What the next tick with something to say says."""
    return str(eventually(lambda: of.begin(served(*names)), "something was done"))


def test_a_scheduler_whose_server_is_slow_holds_up_no_other_and_no_tick(rounds: Callable[..., Any]) -> None:
    slow = Slow("a")
    of = rounds(slow)
    assert of.begin(served("a", "b")) == ""
    assert said(of, "a") == "B: done 1"
    assert said(of, "a", "b") == "B: done 2"
    assert slow.began.count("a") == 1, "it is under way"
    slow.go_on.set()
    eventually(lambda: "A: done 1" in said(of), "it has ended")
    of.begin(served("a"))
    eventually(lambda: slow.began.count("a") == 2, "it is done again")


def test_stages_have_threads_of_their_own(rounds: Callable[..., Any]) -> None:
    slow, quick = Slow("a", "b"), Slow()
    syncs, polls = rounds(slow, at_once=2), rounds(quick, "poll")
    syncs.begin(served("a", "b", "c"))
    eventually(lambda: len(slow.began) == 2, "no thread is free")
    polls.begin(served("a", "b", "c"))
    eventually(lambda: sorted(quick.began) == ["a", "b", "c"], "all are polled")
    assert len(slow.began) == 2
    slow.go_on.set()
    eventually(lambda: "c" in slow.began, "the third has its turn")


def test_all_wait_for_the_server_at_the_same_time(rounds: Callable[..., Any]) -> None:
    together = threading.Barrier(5)

    def work(ctx: Any, scheduler: str) -> str:
        together.wait(60)
        return "together"

    of = rounds(work, "poll", at_once=5)
    of.begin(served(*"abcde"))
    found = set[str]()
    while len(found) < 5:
        found |= set(said(of).split("; "))
    assert found == {f"{name}: together" for name in "ABCDE"}


def test_threads_are_kept_with_what_they_have_open(rounds: Callable[..., Any]) -> None:
    threads = set[int]()

    def work(ctx: Any, scheduler: str) -> str:
        threads.add(threading.get_ident())
        return "done"

    of = rounds(work)
    for _ in range(10):
        said(of, "a")
    assert len(threads) <= 2, "one, unless a tick came before it had ended the last work"


def test_work_that_fails_is_begun_again_by_the_next_tick(rounds: Callable[..., Any]) -> None:
    began = list[str]()

    def work(ctx: Any, scheduler: str) -> str:
        began.append(scheduler)
        if len(began) == 1:
            raise RuntimeError("broken")
        return "done"

    assert said(rounds(work), "a") == "A: done"
    assert len(began) >= 2


def test_only_those_are_begun_that_may_have_work(rounds: Callable[..., Any]) -> None:
    slow = Slow()
    of = rounds(slow, choose=lambda of: [id_ for id_ in of if id_ == "b"])
    assert said(of, "a", "b") == "B: done 1"
    assert "a" not in slow.began


def test_requests_count_for_the_stage_whatever_message_it_came_with(rounds: Callable[..., Any]) -> None:
    def work(ctx: Any, scheduler: str) -> str:
        TALLY.add("tasks.get_all", 200, "worker")
        return "asked"

    TALLY.take()
    said(rounds(work), "a")
    assert {counted.cause for counted in TALLY.take()} == {"sync"}


def test_nothing_is_begun_once_the_process_ends(rounds: Callable[..., Any]) -> None:
    slow = Slow()
    of = rounds(slow)
    of.finish()
    for _ in range(2):
        assert of.begin(served("a")) == ""
    assert slow.began == []
