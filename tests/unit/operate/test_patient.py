"""What follows reads on when Redis has come back, and says so once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from triggers.base.errors import EpochChanged, StoreUnavailable
from triggers.operate.retry import patient


def unavailable(why: Exception) -> StoreUnavailable:
    failure = StoreUnavailable("of no interest")
    failure.__cause__ = why
    return failure


def failing(*failures: Exception) -> Callable[[], str]:
    left = iter(failures)

    def read() -> str:
        for failure in left:
            raise failure
        return "read"

    return read


def never() -> None:
    raise AssertionError("there is no other run of Redis")


def test_reading_goes_on_when_redis_is_back_and_both_ends_are_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    slept: list[float] = []
    gone = redis.ConnectionError("gone")
    read = failing(gone, unavailable(gone), redis.BusyLoadingError("loading"), unavailable(redis.TimeoutError("slow")))
    assert patient(read, never, sleep=slept.append) == "read"
    assert len(slept) == 4
    assert capsys.readouterr().err.splitlines() == [
        "clearml-triggers: Redis did not answer: gone; retrying",
        "clearml-triggers: Redis answers again",
    ]


def test_after_a_restart_the_present_run_is_learned_before_the_next_attempt(capsys: pytest.CaptureFixture[str]) -> None:
    renewed: list[str] = []
    renewing = failing(redis.ConnectionError("gone again"))

    def renew() -> None:
        renewing()
        renewed.append("once")

    read = failing(redis.ConnectionError("gone"), EpochChanged("EPOCH another run"))
    assert patient(read, renew, sleep=lambda _: None) == "read"
    assert renewed == ["once"]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_that_a_person_is_needed_is_reported_although_redis_was_away_before(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = redis.exceptions.AuthenticationError("invalid username-password pair")
    assert patient(failing(redis.ConnectionError("gone"), wrong, wrong), never, sleep=lambda _: None) == "read"
    away, refused, back = capsys.readouterr().err.splitlines()
    assert "gone" in away
    assert "WRONGPASS" in refused
    assert "again" in back


@pytest.mark.parametrize(
    "failure",
    [
        redis.ResponseError("no such command"),
        redis.exceptions.NoPermissionError("User a has no permissions to run 'xrange'"),
        unavailable(redis.exceptions.NoPermissionError("User a has no permissions to run 'evalsha'")),
    ],
)
def test_what_no_waiting_helps_passes(failure: Exception) -> None:
    with pytest.raises(type(failure)):
        patient(failing(failure), never)
