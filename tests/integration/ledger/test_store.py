"""A script run for several in one trip: each answers for itself, as it would alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from tests.integration.ledger.helpers import grant, task_event, task_trigger
from tests.one_by_one import run_together as one_by_one
from triggers.base.errors import EpochChanged, Fenced, StoreUnavailable
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import Firing
from triggers.ledger.store import Script, Store

EACH: list[Callable[..., list[object]]] = [Store.run_together, one_by_one]


def claimed(ledger: Ledger, number: int = 3) -> list[Firing]:
    for n in range(number):
        grant(ledger, task_trigger(), task_event(str(n) * 32))
    return list(ledger.firings.claim("dispatch", number, 10).firings)


@pytest.mark.parametrize("run_together", EACH)
def test_each_call_answers_in_its_place(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, run_together: Callable[..., list[object]]
) -> None:
    monkeypatch.setattr(Store, "run_together", run_together)
    first, second, third = claimed(ledger)
    second = replace(second, lease=first.lease)
    answers, lost = ledger.firings.record_each(
        [(first, "t1"), (second, "t2"), (third, "t3"), (first, "t4")], "dispatch", 10
    )
    assert [a for a in answers if not isinstance(a, Fenced)] == ["t1", "t3", "t1"]
    assert isinstance(answers[1], Fenced)
    assert "taken by another" in str(answers[1])
    assert lost == {second.key}
    assert ledger.firings.get(second.key).task is None


@pytest.mark.parametrize("run_together", EACH)
def test_another_run_of_redis_refuses_all(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, run_together: Callable[..., list[object]]
) -> None:
    monkeypatch.setattr(Store, "run_together", run_together)
    firings = claimed(ledger)
    ledger.store.run_id = "0" * 40
    with pytest.raises(EpochChanged):
        ledger.firings.record_each([(firing, "t") for firing in firings], "dispatch", 10)
    assert [ledger.firings.get(firing.key).task for firing in firings] == [None] * 3


def test_a_redis_that_does_not_know_the_script_yet_learns_it(ledger: Ledger) -> None:
    firings = claimed(ledger)
    ledger.store.client.script_flush()
    tasks = [(firing, f"t{n}") for n, firing in enumerate(firings)]
    assert ledger.firings.record_each(tasks, "dispatch", 10) == (["t0", "t1", "t2"], set())


def test_it_is_one_trip(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    firings = claimed(ledger)
    ledger.firings.record(firings[0], "t")  # the script is known
    trips: list[int] = []
    execute = redis.client.Pipeline.execute

    def counted(pipe: redis.client.Pipeline, *args: object, **options: object) -> object:
        trips.append(len(pipe))
        return execute(pipe, *args, **options)

    monkeypatch.setattr(redis.client.Pipeline, "execute", counted)
    monkeypatch.setattr(redis.Redis, "execute_command", None)
    ledger.firings.record_each([(firing, "t") for firing in firings], "dispatch", 10)
    assert trips == [5], "with a script that it is told first, and the extension of the leases"


def test_no_answer_says_so(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    firings = claimed(ledger)

    def lose(*_: object, **__: object) -> None:
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(redis.client.Pipeline, "execute", lose)
    with pytest.raises(StoreUnavailable, match=r"did not answer: gone .record."):
        ledger.firings.record_each([(firing, "t") for firing in firings], "dispatch", 10)


def test_what_is_wrong_with_a_script_is_raised(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Script, "text", property(lambda _: "return redis.call('NOSUCH')"))
    with pytest.raises(redis.ResponseError):
        Store(ledger.store.client).run_each(Script("broken"), [([], ()), ([], ())])
