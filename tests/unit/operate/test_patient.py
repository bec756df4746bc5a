"""What follows reads on when Redis has come back, and says so once."""

from __future__ import annotations

import pytest
import redis

from triggers.base.errors import StoreUnavailable
from triggers.operate.retry import patient


def test_reading_goes_on_when_redis_is_back_and_both_ends_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    failures = iter([redis.ConnectionError("gone"), StoreUnavailable("gone"), redis.BusyLoadingError("loading")])
    slept: list[float] = []

    def read() -> str:
        for failure in failures:
            raise failure
        return "read"

    assert patient(read, sleep=slept.append) == "read"
    assert len(slept) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "clearml-triggers: Redis gives no answer (gone); retrying",
        "clearml-triggers: Redis answers again",
    ]


def test_what_no_waiting_helps_passes() -> None:
    def read() -> None:
        raise redis.ResponseError("no such command")

    with pytest.raises(redis.ResponseError):
        patient(read)
