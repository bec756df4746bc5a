"""Functions in the serving process: side by side, up to a limit, and finished before it ends."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.eventually import eventually
from tests.integration.service.conftest import ServiceWorld
from triggers.client.callers import Callers
from triggers.model import make_trigger

Run = Callable[..., Callers]


@pytest.fixture
def run(service_world: ServiceWorld) -> Iterator[Run]:
    started: list[Callers] = []

    def start(limit: int = 4, **functions: Callable[..., object]) -> Callers:
        callers = Callers(service_world.ctx, {f"task:{name}": one for name, one in functions.items()}, limit)
        callers.start()
        started.append(callers)
        return callers

    yield start
    for callers in started:
        callers.finish(2)


def declare(world: ServiceWorld, *names: str, **fields: Any) -> None:
    fields |= {"trigger_on_status": ["failed"]}
    actions = {name: {"type": "function", "name": name} for name in names}
    world.declare(*[make_trigger("task", name=name, action=action, **fields) for name, action in actions.items()])


def test_they_run_side_by_side_up_to_the_limit(service_world: ServiceWorld, run: Run) -> None:
    world, now, most, lock, release = service_world, [0], [0], threading.Lock(), threading.Event()

    def busy(task_id: str) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        release.wait(60)
        with lock:
            now[0] -= 1

    declare(world, "busy")
    for _ in range(9):
        world.fail_task()
    world.step()
    run(3, busy=busy)
    eventually(lambda: now[0] == 3)
    assert world.ledger.due("caller") == 6, "no more were claimed than may run"
    release.set()
    eventually(lambda: len(world.history("launched")) == 9)
    assert most[0] == 3


def test_one_that_hangs_stops_no_other_and_the_end_waits_only_so_long(service_world: ServiceWorld, run: Run) -> None:
    world, release, done = service_world, threading.Event(), []

    def hangs(task_id: str) -> None:
        release.wait()

    declare(world, "hangs", "fine")
    for _ in range(2):
        world.fail_task()
    world.step()
    callers = run(4, hangs=hangs, fine=done.append)
    eventually(lambda: len(done) == 2)
    assert callers.finish(0.5) == ["hangs", "hangs"]
    release.set()


def test_the_end_waits_for_what_runs_and_its_outcome_is_recorded(service_world: ServiceWorld, run: Run) -> None:
    world, began = service_world, threading.Event()

    def slow(task_id: str) -> None:
        began.set()
        time.sleep(0.5)

    declare(world, "slow")
    world.fail_task()
    world.step()
    callers = run(2, slow=slow)
    assert began.wait(60)
    assert callers.finish(60) == []
    assert len(world.history("launched")) == 1


def test_redis_that_goes_away_again_right_after_its_restart_ends_no_thread(
    service_world: ServiceWorld, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, done, failed = service_world, list[str](), threading.Event()
    learn = world.ctx.begin_epoch

    def begin_epoch() -> None:
        if not failed.is_set():
            failed.set()
            raise redis.ConnectionError("away")
        learn()

    monkeypatch.setattr("triggers.client.callers.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(world.ctx, "begin_epoch", begin_epoch)
    declare(world, "fine")
    run(1, fine=done.append)
    world.ledger.store.run_id = "another run"
    assert failed.wait(60)
    eventually(lambda: world.ledger.store.run_id != "another run")
    world.fail_task()
    world.step()
    eventually(lambda: done)


def test_single_instance_holds_for_functions(service_world: ServiceWorld, run: Run) -> None:
    world, called, release = service_world, [], threading.Event()

    def one_at_a_time(task_id: str) -> None:
        called.append(task_id)
        release.wait(60)

    declare(world, "one", policy={"single_instance": True})
    for _ in range(3):
        world.fail_task()
    world.step()
    run(4, one=one_at_a_time)
    eventually(lambda: len(world.history("skipped")) == 2)
    release.set()
    eventually(lambda: len(world.history("launched")) == 1)
    assert len(called) == 1
    world.fail_task()
    world.step()
    eventually(lambda: len(called) == 2)


def test_what_a_function_raises_is_in_the_history_with_its_traceback(service_world: ServiceWorld, run: Run) -> None:
    world = service_world

    def breaks(task_id: str) -> None:
        raise ValueError("no such luck")

    declare(world, "breaks")
    world.fail_task()
    world.step()
    run(1, breaks=breaks)
    eventually(lambda: world.history("failed"))
    reason = world.history("failed")[0].reason
    assert reason.startswith("ValueError: no such luck")
    assert "in breaks" in reason


@pytest.mark.parametrize("what", [SystemExit("over"), KeyboardInterrupt("stop"), GeneratorExit("odd")])
def test_whatever_a_function_raises_is_a_failure_that_is_reported_and_retried(
    service_world: ServiceWorld, run: Run, what: BaseException
) -> None:
    called: list[str] = []

    def ends(task_id: str) -> None:
        called.append(task_id)
        raise what

    declare(service_world, "ends")
    failed = service_world.fail_task()
    service_world.step()
    run(ends=ends)

    def told() -> list[str]:
        return [
            e.reason for e in service_world.ledger.history.read() if e.what in ("failed", "dead") and e.object == failed
        ]

    eventually(told)
    assert called == [failed]
    assert told()[0].startswith(f"{type(what).__name__}: {what}")


def test_one_that_keeps_the_interpreter_busy_past_its_lease_is_called_once(
    service_world: ServiceWorld, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, calls = service_world, []
    short = world.ctx.settings.model_copy(update={"lease_seconds": 0.5})
    monkeypatch.setattr(world, "ctx", dataclasses.replace(world.ctx, settings=short))

    def computes(task_id: str) -> None:
        calls.append(task_id)
        for _ in range(3):
            began = time.monotonic()
            sum(range(60_000_000))  # one call in C: no other thread runs meanwhile
            assert time.monotonic() - began > 0.5, "make it longer"

    declare(world, "computes")
    world.fail_task()
    world.step()
    run(4, computes=computes)
    eventually(lambda: world.history("launched"), seconds=60)
    assert len(calls) == 1
    assert not world.history("failed")
