"""Leases are renewed for a thread that gets somewhere, and for a function of a user's as long as it runs."""

from __future__ import annotations

import logging
import threading

import pytest

from tests.eventually import eventually
from triggers.base import progress
from triggers.base.errors import Fenced, StoreUnavailable
from triggers.ledger import leases


class Clock:
    """Time that the test lets pass, and how often it was looked at."""

    now, looks = 1000.0, 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock, real = Clock(), progress.Watched
    monkeypatch.setattr(progress, "Watched", lambda: real(clock))
    return clock


def test_a_thread_hangs_once_it_has_made_no_call_for_long(clock: Clock) -> None:
    with progress.watch() as body:
        for _ in range(3):
            clock.now += progress.PATIENCE_SECONDS
            assert not body.hangs
            progress.note()
        clock.now += progress.PATIENCE_SECONDS + 1
        assert body.hangs
        progress.note()
        assert not body.hangs


def test_a_call_may_take_as_long_as_it_says(clock: Clock) -> None:
    with progress.watch() as body:
        progress.note(500.0)
        clock.now += 500.0 + progress.PATIENCE_SECONDS
        assert not body.hangs
        clock.now += 1
        assert body.hangs


def test_a_function_may_take_any_time_and_what_follows_may_not(clock: Clock) -> None:
    with progress.watch() as body:
        with progress.without_end():
            clock.now += 1e9
            assert not body.hangs
        clock.now += progress.PATIENCE_SECONDS + 1
        assert body.hangs


def test_what_other_threads_do_is_no_progress_of_this_one(clock: Clock) -> None:
    with progress.watch() as body:
        clock.now += progress.PATIENCE_SECONDS + 1
        other = threading.Thread(target=progress.note)
        other.start()
        other.join()
        assert body.hangs


def test_each_of_the_bodies_that_a_thread_is_in_sees_its_progress(clock: Clock) -> None:
    with progress.watch() as outer:
        with progress.watch() as inner:
            clock.now += progress.PATIENCE_SECONDS + 1
            assert outer.hangs
            assert inner.hangs
            progress.note()
            assert not outer.hangs
            assert not inner.hangs
        progress.note(5)
    clock.now += progress.PATIENCE_SECONDS + 1
    progress.note()  # nobody watches any more
    assert inner.hangs


class Renewals:
    """Counts what a lease keeper does, and waits for it."""

    def __init__(self) -> None:
        self.count, self.seen = 0, threading.Condition()
        self.error: Exception | None = None

    def __call__(self) -> None:
        with self.seen:
            self.count += 1
            self.seen.notify_all()
        if self.error:
            raise self.error

    def more(self) -> bool:
        with self.seen:
            before = self.count
            return self.seen.wait_for(lambda: self.count > before, timeout=60)


def logged(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    """Wait for a line with these words."""
    return eventually(lambda: any(words in line for line in caplog.messages), words)


def keepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "lease-keeper"]


def test_a_body_that_hangs_is_renewed_no_more_until_it_comes_to_life(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    renewals = Renewals()
    with caplog.at_level(logging.ERROR), leases.renewing(0.005, renewals):
        assert renewals.more()
        clock.now += progress.PATIENCE_SECONDS + 1
        assert logged(caplog, "makes no progress")
        count, looks = renewals.count, clock.looks
        eventually(lambda: clock.looks >= looks + 10, "ten turns of the keeper")
        assert renewals.count == count
        assert len([line for line in caplog.messages if "makes no progress" in line]) == 1
        progress.note()
        assert renewals.more()


def test_one_that_was_overtaken_meanwhile_is_not_renewed(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    renewals = Renewals()
    with caplog.at_level(logging.WARNING), leases.renewing(0.005, renewals):
        assert renewals.more()
        renewals.error = Fenced("it was taken by another")
        assert logged(caplog, "lost a lease")
        eventually(lambda: not keepers(), "nobody renews it any more")


@pytest.mark.parametrize("failure", [StoreUnavailable("no answer"), RuntimeError("a bug")])
def test_a_renewal_that_fails_is_tried_again(
    clock: Clock, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    renewals = Renewals()
    with caplog.at_level(logging.WARNING), leases.renewing(0.005, renewals):
        renewals.error = failure
        assert logged(caplog, "could not renew a lease; retrying")
        renewals.error = None
        assert renewals.more()
