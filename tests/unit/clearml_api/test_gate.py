"""What one process does about refusals: pauses, one call after each, and how refusals in a row are counted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from triggers.base.errors import ServerBusy
from triggers.clearml_api.gate import Gate
from triggers.clearml_api.pauses import REMEMBERED_SECONDS, Pause, family


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the gate's clock, which stands still."""
    now = [1000.0]
    monkeypatch.setattr("triggers.clearml_api.gate.time.monotonic", lambda: now[0])
    return now


def refuse(gate: Gate, endpoint: str = "tasks.clone", sent_at: float | None = None, retry_after: float = 0.0) -> Pause:
    if sent_at is None:
        with gate.passing(endpoint) as sent_at:
            pass
    pause = gate.refused(endpoint, sent_at, 429, None, retry_after)
    assert pause is not None
    return pause


def accept(gate: Gate, endpoint: str) -> None:
    with gate.passing(endpoint) as sent_at:
        gate.accepted(endpoint, sent_at)


def test_answers_to_calls_that_were_under_way_count_once(clock: list[float]) -> None:
    """Eight threads: each would double the pause else, to more than four minutes."""
    gate = Gate()
    pauses = [refuse(gate, sent_at=clock[0] - 0.1) for _ in range(8)]
    assert {pause.times for pause in pauses} == {1}
    assert gate.seconds_left == 2
    clock[0] += 2
    assert refuse(gate) == Pause(4, 2, "HTTP 429", "tasks.clone")


def test_a_good_answer_of_another_endpoint_says_nothing_of_the_refused_one(clock: list[float]) -> None:
    gate, seconds = Gate(), []
    for _ in range(6):
        seconds.append(refuse(gate, "tasks.enqueue_many").seconds)
        clock[0] += seconds[-1]
        accept(gate, "tasks.get_all_ex")
        assert gate.is_trying
    assert seconds == [2, 4, 8, 16, 32, 60]
    accept(gate, "tasks.enqueue")  # the call for one is of the same limit
    assert not gate.is_trying
    assert refuse(gate).seconds == 2


def test_a_good_answer_to_a_call_sent_before_the_pause_ends_no_row(clock: list[float]) -> None:
    gate = Gate()
    sent_at = clock[0]
    clock[0] += 1
    refuse(gate)
    gate.accepted("tasks.clone", sent_at)
    clock[0] += 2
    assert refuse(gate).seconds == 4


def test_a_call_of_another_process_that_was_taken_opens_the_gate_but_ends_no_pause(clock: list[float]) -> None:
    gate = Gate()
    refuse(gate)
    gate.open()
    assert gate.seconds_left == 2
    clock[0] += 2
    assert gate.is_trying
    gate.open()
    assert not gate.is_trying
    assert refuse(gate).seconds == 2
    assert not gate.is_open_again
    clock[0] += 2
    accept(gate, "tasks.clone")
    assert gate.is_open_again


def test_refusals_are_forgotten_in_time(clock: list[float]) -> None:
    gate = Gate()
    refuse(gate)
    clock[0] += 2 + REMEMBERED_SECONDS
    assert not gate.is_trying
    assert refuse(gate).seconds == 2


def test_a_pause_of_a_server_that_is_away_counts_nothing(clock: list[float]) -> None:
    gate = Gate()
    refuse(gate)
    clock[0] += 2
    with gate.passing("tasks.get_all") as sent_at:
        pause = gate.refused("tasks.get_all", sent_at, 503, None, 5.0)
    assert pause == Pause(5.0, 1, "HTTP 503", "tasks.clone")
    assert gate.refused("tasks.get_all", sent_at, 503, None, 0.0) is None


def test_after_a_pause_one_call_tries_while_the_others_wait(clock: list[float]) -> None:
    gate, asked, tried = Gate(), list[str](), threading.Event()
    refuse(gate)
    clock[0] += 2
    others_wait = threading.Semaphore(0)
    acquire = gate._trying.acquire

    class Lock:
        def acquire(self, **options: Any) -> bool:
            others_wait.release()
            return acquire(**options)

        release = staticmethod(gate._trying.release)

    gate._trying = Lock()  # type: ignore[assignment]

    def call(name: str) -> str:
        try:
            with gate.passing(name) as sent_at:
                asked.append(name)
                assert tried.wait(60)
                gate.refused("tasks.clone", sent_at, 429, None, 0.0)
        except ServerBusy as busy:
            return str(busy)
        return "asked"

    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(call, f"call {number}") for number in range(4)]
        for _ in range(4):
            assert others_wait.acquire(timeout=60)
        assert len(asked) == 1
        tried.set()
        told = [one.result(60) for one in calls]
    assert len(asked) == told.count("asked") == 1
    assert sum("not asked: calls wait for another 4 s" in text for text in told) == 3


def test_calls_go_side_by_side_where_nothing_was_refused() -> None:
    gate, meet = Gate(), threading.Barrier(4, timeout=60)

    def call(_: int) -> None:
        with gate.passing("tasks.get_all"):
            meet.wait()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(call, range(4)))


def test_a_pause_of_the_month_or_of_a_server_that_is_away_is_followed_by_all_calls_at_once(clock: list[float]) -> None:
    gate = Gate()
    gate.keep(Pause(60.0, 0, "all calls of the month are made"))
    clock[0] += 60
    assert not gate.is_trying


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("tasks.enqueue_many", "tasks.enqueue"),
        ("tasks.get_all_ex", "tasks.get_all"),
        ("tasks.clone", "tasks.clone"),
    ],
)
def test_calls_for_one_and_for_many_are_of_one_limit(endpoint: str, name: str) -> None:
    assert family(endpoint) == name
