"""A start waits for a ClearML server that is away for a moment, and for nothing else."""

from __future__ import annotations

import threading

import pytest

from triggers.base.errors import Refused, ServerBusy, ServerUnavailable, StoreUnavailable
from triggers.base.retry import PATIENCE_SECONDS, PAUSE_SECONDS, patiently


class Clock:
    """Time passes by sleeping alone."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, 0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += 1


def failing(times: int, failure: Exception):
    left = iter([failure] * times)

    def do() -> str:
        for one in left:
            raise one
        return "done"

    return do


def test_the_wait_for_a_server_that_comes_back_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    done = patiently(failing(3, ServerUnavailable("it restarts")), clock=clock, sleep=clock.sleep)
    assert (done, clock.slept) == ("done", 3)
    assert capsys.readouterr().err == "triggers: it restarts; retrying for up to 2 minutes\n"


def test_an_attempt_that_hangs_is_reported_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    told = threading.Event()

    class Clock:
        """Each line that is logged asks for the time."""

        times = 0

        def __call__(self) -> float:
            self.times += 1
            if self.times > 2:
                told.set()
            return 0.0

    assert patiently(lambda: told.wait(60), clock=Clock(), tell_seconds=0.01)
    said = "triggers: still waiting after 0 s: the ClearML server answers late or not at all\n"
    assert said in capsys.readouterr().err


def test_patience_ends() -> None:
    clock = Clock()
    with pytest.raises(ServerUnavailable, match="gone"):
        patiently(failing(1000, ServerUnavailable("gone")), clock=clock, sleep=clock.sleep)
    assert clock.slept == PATIENCE_SECONDS / PAUSE_SECONDS


def test_a_server_that_takes_no_calls_for_a_while_is_asked_again_when_it_does() -> None:
    clock = Clock()
    assert patiently(failing(2, ServerBusy("too many", 30.0)), clock=clock, sleep=clock.sleep) == "done"
    assert (clock.slept, clock.now) == (2, 160.0)


@pytest.mark.parametrize("seconds", [121.0, 3600.0])
def test_a_server_that_wants_a_longer_pause_is_not_waited_for(
    seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    with pytest.raises(ServerBusy, match="an hour"):
        patiently(failing(1, ServerBusy("in an hour", seconds)), clock=clock, sleep=clock.sleep)
    assert clock.slept == 0
    assert capsys.readouterr().err == ""


def test_patience_with_a_server_that_goes_on_refusing_ends() -> None:
    clock = Clock()
    with pytest.raises(ServerBusy):
        patiently(failing(1000, ServerBusy("too many", 50.0)), clock=clock, sleep=clock.sleep)
    assert clock.slept == 2


@pytest.mark.parametrize("failure", [Refused("tasks.edit", 400, 0, "no"), StoreUnavailable("Redis is away")])
def test_what_a_person_has_to_fix_is_reported_at_once(failure: Exception) -> None:
    clock = Clock()
    with pytest.raises(type(failure)):
        patiently(failing(1, failure), clock=clock, sleep=clock.sleep)
    assert clock.slept == 0
