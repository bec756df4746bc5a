"""How soon an abort of the service task is seen, by the clock: as soon as a poll could have read it, at every pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.base.errors import ServerBusy, ServerUnavailable
from triggers.client.abort_watch import ASK_AGAIN_SECONDS, ASK_SECONDS, AbortWatch
from triggers.client.tenure import ABORT_SECONDS
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.polling.service_watch import LATE_MS, SeenServiceTask
from triggers.rules.api_budget import SCARCE_POLL_SECONDS, ApiUsage, poll_seconds
from triggers.rules.pace import QUIET_POLL_SECONDS, QUIET_SECONDS, pace_seconds

FAST = 5.0


class Simulated:
    """A service task, the polls that read it at some pace, and the serving process that looks; time is ours.

    Polls note what `poll_begin.lua`, `service_watch.note`, and `poll_stretch.lua` do, each of them at its time.
    """

    def __init__(
        self, pace: float, monkeypatch: pytest.MonkeyPatch, *, polls_see: bool = True, takes: float = 0.0
    ) -> None:
        self.pace, self.polls_see, self.takes, self.now = pace, polls_see, takes, 0.0
        self._ends: float | None = None
        self._page: dict[str, Any] = {}
        self.status, self.changed_ms, self.asked = "in_progress", 1, list[float]()
        self.failures: list[ServerUnavailable] = []
        self._seen, self._next_poll = SeenServiceTask(), 0.0
        monkeypatch.setattr("triggers.client.abort_watch.service.read_status", self._read_status)
        ledger: Any = SimpleNamespace(service_watch=SimpleNamespace(read=self._read))
        scheduler = Scheduler("h", "w", "p", "n", FAST, service_task="mine")
        self.watch = AbortWatch(object(), ledger, scheduler, clock=lambda: self.now)  # type: ignore[arg-type]

    def _read_status(self, api: object, task: str) -> tuple[str, str]:
        assert task == "mine"
        self.asked.append(self.now)
        if self.failures:
            raise self.failures.pop(0)
        return self.status, ""

    def _read(self) -> SeenServiceTask:
        return replace(self._seen, now_ms=self._ms())

    def _ms(self) -> int:
        return int(1000 * self.now) + 1

    def _begin_poll(self) -> None:
        before_ms = self._seen.pace_ms or int(1000 * FAST)
        least_ms = int(1000 * min(FAST, self.pace))
        self._seen = replace(self._seen, polled_ms=self._ms(), pace_ms=least_ms, before_ms=before_ms)
        self._ends, self._page = self.now + self.takes, {"status": self.status, "changed_ms": self.changed_ms}

    def _end_poll(self) -> None:
        self._ends = None
        self._seen = replace(self._seen, pace_ms=int(1000 * self.pace))
        if self.polls_see:
            self._seen = replace(self._seen, covered_ms=self._seen.polled_ms, task="mine", **self._page)

    def abort(self) -> None:
        self.status, self.changed_ms = "stopped", self._ms()

    def until_seen(self, within: float) -> float:
        """Let time pass until the abort is seen; how long that took."""
        began = self.now
        while not self.turn():
            assert self.now - began <= within, f"an abort was not seen within {within} s"
        return self.now - began

    def rest(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            assert not self.turn(), "nobody aborted it"

    def turn(self) -> bool:
        """One look of the serving process, as it makes one a second, and the polls until then."""
        self.now += ABORT_SECONDS
        if self._ends is None and self._next_poll <= self.now:
            self._next_poll = max(self._next_poll + self.pace, self.now)
            self._begin_poll()
        if self._ends is not None and self._ends <= self.now:
            self._end_poll()
        return self.watch.is_aborted()


def stretched(limit: int) -> float:
    """The pace at the middle of a month, where the budget lets only so many calls be made in it."""
    usage = ApiUsage(now=datetime(2026, 11, 16, tzinfo=UTC))
    return poll_seconds(limit, usage, calls_per_poll=2, pace_seconds=QUIET_POLL_SECONDS)


PACES = {
    "as fast as it can be chosen": 1.0,
    "while something changes": pace_seconds(FAST, QUIET_POLL_SECONDS, 0),
    "becoming quiet": pace_seconds(FAST, QUIET_POLL_SECONDS, QUIET_SECONDS / 2),
    "quiet": pace_seconds(FAST, QUIET_POLL_SECONDS, QUIET_SECONDS),
    "stretched by the budget": stretched(30_000),
    "stretched to an hour": stretched(808),
}


def test_the_paces_are_those_that_are_promised() -> None:
    assert PACES["while something changes"] == 5
    assert PACES["quiet"] == 30
    assert 60 < PACES["stretched by the budget"] < SCARCE_POLL_SECONDS
    assert PACES["stretched to an hour"] == pytest.approx(SCARCE_POLL_SECONDS)


@pytest.mark.parametrize("name", PACES)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("takes", [0.0, 6.0])
def test_an_abort_is_seen_with_the_next_poll_and_asked_for_once(
    name: str, share: float, takes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a poll takes seconds: nobody asks while it is under way, although the one before is long ago."""
    pace = PACES[name]
    simulated = Simulated(pace, monkeypatch, takes=takes)
    simulated.rest(20 * pace + share * pace)
    assert simulated.asked == [], "polls see what nobody has to ask for"
    simulated.abort()
    last = max(pace, takes) + takes + 2 * ABORT_SECONDS
    assert simulated.until_seen(within=last) <= last
    assert len(simulated.asked) == 1


@given(paces=st.lists(st.sampled_from([pace for pace in PACES.values() if pace < 100]), min_size=1, max_size=4))
def test_a_pace_that_changes_delays_no_abort_beyond_its_own_poll(paces: list[float]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        simulated = Simulated(FAST, monkeypatch)
        for pace in paces:
            simulated.pace = pace
            simulated.rest(2 * pace)
        simulated.abort()
        assert simulated.until_seen(within=max(*paces, FAST) + 2 * ABORT_SECONDS)


@pytest.mark.parametrize("pace", [1.0, 5.0, 30.0])
def test_where_polls_do_not_see_it_the_process_asks_as_often_as_promised(
    pace: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for triggers on models alone, if nobody looks at the service task any more."""
    simulated = Simulated(pace, monkeypatch, polls_see=False)
    simulated.rest(600)
    assert 600 / max(ASK_SECONDS, pace) - 2 <= len(simulated.asked) <= 600 / ASK_SECONDS
    simulated.abort()
    assert simulated.until_seen(within=max(ASK_SECONDS, pace) + 2 * ABORT_SECONDS)


def test_polls_that_end_are_missed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = Simulated(FAST, monkeypatch)
    simulated.rest(60)
    simulated._next_poll = float("inf")
    simulated.abort()
    assert simulated.until_seen(within=120) <= FAST + LATE_MS / 1000 + 2 * ABORT_SECONDS


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (ServerUnavailable("no answer"), ASK_AGAIN_SECONDS),
        (ServerBusy("too many calls", 2.0), ASK_AGAIN_SECONDS),
        (ServerBusy("too many calls", 300.0), 300.0),
    ],
)
def test_a_question_without_an_answer_is_asked_again_and_not_every_second(
    failure: ServerUnavailable, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = Simulated(QUIET_POLL_SECONDS, monkeypatch)
    simulated.rest(100)
    simulated.failures = [failure] * 3
    simulated.abort()
    simulated.until_seen(within=QUIET_POLL_SECONDS + 4 * seconds)
    first, *again = simulated.asked
    assert [round(at - first) for at in again] == [seconds, 2 * seconds, 3 * seconds]
