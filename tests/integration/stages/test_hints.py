"""Hints are bounded: one under way for each stage, however much waits; a lost one is replaced."""

from __future__ import annotations

import pytest
import redis
from celery import Celery
from celery.worker import state

from tests.integration.stages.conftest import World
from triggers.base.settings import settings
from triggers.ledger.firings.waiting import Line
from triggers.stages.reconcile import LOST_SECONDS, reconcile


def waiting_long(world: World, stage: str) -> None:
    """Let a hint be sent so long ago that it would be missed."""
    ms = world.ledger.now_ms() - int(LOST_SECONDS * 1000) - 1
    world.ledger.store.client.hset(world.ledger.keys.hinted, stage, ms)


def sent(world: World) -> tuple[int, int]:
    return len(world.hints.partitions), world.hints.dispatches


def test_a_backlog_adds_none(world: World) -> None:
    world.declare(world.trigger())
    for _ in range(5):
        world.fail_task()
        world.poll()
        reconcile(world.ctx)
    assert sent(world) == (1, 0)
    world.match()
    assert sent(world) == (0, 1)
    for _ in range(5):
        reconcile(world.ctx)
    assert sent(world) == (0, 1)


@pytest.mark.parametrize("stage", ["match", "dispatch"])
def test_one_that_lies_in_its_queue_is_not_sent_again_however_long(world: World, stage: Line) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.poll()
    if stage == "dispatch":
        world.match()
    before = sent(world)
    waiting_long(world, stage)
    world.hints.others = {world.ledger.scheduler}
    for _ in range(3):
        reconcile(world.ctx)
    assert sent(world) == before


@pytest.mark.parametrize("stage", ["match", "dispatch"])
def test_one_that_was_lost_is_sent_again_once(world: World, stage: Line) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.poll()
    if stage == "dispatch":
        world.match()
    before = sum(sent(world))
    waiting_long(world, stage)
    for _ in range(3):
        reconcile(world.ctx)
    assert sum(sent(world)) == before + 1


def test_what_comes_after_a_hint_was_taken_is_hinted(world: World) -> None:
    world.declare(world.trigger())
    for _ in range(3):
        world.fail_task()
        world.poll()
        assert sent(world)[0] == 1
        world.settle()
    assert len(world.clones()) == 3


def test_what_becomes_due_by_itself_is_hinted_at_once(world: World) -> None:
    """A pause between two attempts ends: nobody has sent a hint for that, so none is under way."""
    world.declare(world.trigger(action={"queue": "missing"}))
    world.fail_task()
    world.step()
    world.expire_leases()
    assert reconcile(world.ctx)
    assert sent(world) == (0, 1)


def test_at_rest_there_are_none(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    world.step()
    for _ in range(5):
        world.poll()
        reconcile(world.ctx)
    assert sent(world) == (0, 0)


def test_the_queue_is_read_as_celery_writes_it(
    world: World, redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    settings.cache_clear()
    from workers.app import configuration
    from workers.runtime import CeleryHints

    celery = Celery("sender", set_as_current=False)
    celery.conf.update(configuration(world.settings.model_copy(update={"redis_url": redis_url})))
    hints = CeleryHints(celery, redis_client, str)
    first, second = "1" * 16, "2" * 16
    hints.send("match", first)
    celery.send_task("triggers.clock", queue="match")
    hints.send("match", second)
    assert hints.waiting("match") == {first, second}
    assert hints.waiting("match", 2) == {first}, "a tick lies behind it"
    assert hints.waiting("dispatch") == set()
    celery.close()
    settings.cache_clear()


class Request:
    """What Celery keeps of a message that it has taken; told apart by identity, as Celery's are."""

    def __init__(self, name: str, *args: str) -> None:
        self.id, self.name, self.args = f"{name} {args}", name, list(args)


def test_what_a_worker_has_taken_in_advance_waits_as_in_the_queue(
    redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    settings.cache_clear()
    from workers.runtime import CeleryHints

    hints = CeleryHints(Celery("sender", set_as_current=False), redis_client, str)
    first, second = "1" * 16, "2" * 16
    requests = [Request("triggers.match", first), Request("triggers.match", second), Request("triggers.poll")]
    try:
        for request in requests:
            state.task_reserved(request)
        assert hints.waiting("match", 16) == {first, second}
        assert hints.waiting("dispatch", 16) == set()
        state.task_accepted(requests[0])
        assert hints.waiting("match", 16) == {second}, "a thread has begun the other"
        state.task_ready(requests[1])
        assert hints.waiting("match", 16) == set()
    finally:
        for request in requests:
            state.task_ready(request)
        settings.cache_clear()
