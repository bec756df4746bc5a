"""A holder that hangs loses its lease although its process lives on; what it does afterwards changes nothing."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from tests.integration.ledger.helpers import claim_one, eventually, grant, task_event, task_trigger
from triggers.base import progress
from triggers.base.errors import Fenced
from triggers.ledger import Ledger, leases

SHORT = 0.3


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """How much more time has passed than really has, by the clock that says whether a thread hangs."""
    passing, real = SimpleNamespace(seconds=0.0), progress.Watched
    monkeypatch.setattr(progress, "Watched", lambda: real(lambda: time.monotonic() + passing.seconds))
    return passing


class Hanging:
    """A thread that holds the poll lease and does nothing until it is released."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.holds, self.go_on = ledger, threading.Event(), threading.Event()
        self.renewed: object = None
        self.thread = threading.Thread(target=self._poll, daemon=True)
        self.thread.start()
        assert self.holds.wait(60)

    def _poll(self) -> None:
        with self.ledger.reading.poll(pace_seconds=0, lease_seconds=SHORT, force=True) as token:
            assert token
            self.holds.set()
            self.go_on.wait(60)
            self.renewed = leases.renew(self.ledger.store, self.ledger.keys, "poll", token, SHORT)


def taken(ledger: Ledger) -> str | None:
    return leases.acquire(ledger.store, ledger.keys, "poll", 10)


def test_a_hung_poller_keeps_the_others_out_for_a_bounded_time(ledger: Ledger, passing: SimpleNamespace) -> None:
    hanging = Hanging(ledger)
    for _ in range(4):  # alive, as far as anyone can tell: several leases long
        time.sleep(SHORT / 2)
        assert taken(ledger) is None
    passing.seconds += progress.PATIENCE_SECONDS + 1
    assert eventually(lambda: taken(ledger))
    hanging.go_on.set()
    hanging.thread.join(60)
    assert hanging.renewed is False, "its lease is another's now"


def test_a_firing_of_a_hung_dispatcher_is_taken_by_another(ledger: Ledger, passing: SimpleNamespace) -> None:
    grant(ledger, task_trigger(), task_event())
    first = claim_one(ledger, SHORT)
    go_on, lost = threading.Event(), threading.Event()

    def extend() -> None:
        if ledger.firings.renew("dispatch", [first], SHORT):
            lost.set()

    def dispatch() -> None:
        with leases.renewing(SHORT / 3, extend):
            go_on.wait(60)
            with pytest.raises(Fenced):
                ledger.firings.record(first, "a draft")
            assert lost.wait(60), "to ask was progress, so it is renewed again, in vain"

    hanging = threading.Thread(target=dispatch, daemon=True)
    hanging.start()
    passing.seconds += progress.PATIENCE_SECONDS + 1
    (second,) = eventually(lambda: ledger.firings.claim("dispatch", 1, 10).firings)
    assert second.attempts == (first.lease, second.lease)
    go_on.set()
    hanging.join(60)
    assert lost.is_set()
