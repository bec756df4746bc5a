"""Budgets of memory: the oldest of what has ended is forgotten, and nothing fires again by that."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.firings import forgetting
from triggers.stages.budgets import keep_to_budgets


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """A scheduler that may keep nothing that has ended."""
    monkeypatch.setattr(forgetting, "KEPT_MS", -1_000)
    world.ctx.settings = world.settings.model_copy(update={"firings_megabytes": 1e-9, "launched_megabytes": 1e-9})
    return world


def ended(world: World) -> list[str]:
    names = world.ledger.store.client.scan_iter(f"*{world.ledger.keys.firing('')}*".replace("{", "[{]"), count=1000)
    return [name for name in names if world.ledger.store.client.ttl(name) > 0]


def launched(world: World) -> int:
    return int(world.ledger.store.client.hlen(world.ledger.keys.launched))


def test_what_is_forgotten_does_not_fire_again(no_memory: World) -> None:
    world = no_memory
    world.declare(world.trigger())
    failed = [world.fail_task() for _ in range(5)]
    world.step()
    assert (len(ended(world)), launched(world)) == (5, 5)
    for _ in range(3):
        keep_to_budgets(world.ctx, 0)
        assert (ended(world), launched(world)) == ([], 0)
        for task in failed:
            world.call("tasks.edit", task=task, comment="changed once more", force=True)
        world.step()
    assert sorted(world.runs().values()) == [1] * 5


@pytest.mark.parametrize("ended_ms", ["much", "1.5e999", "-5", ""])
def test_a_damaged_firing_is_left_alone_and_the_others_are_forgotten(no_memory: World, ended_ms: str) -> None:
    world = no_memory
    world.declare(world.trigger())
    for _ in range(3):
        world.fail_task()
    world.step()
    damaged, of_another_type, _ = ended(world)
    client = world.ledger.store.client
    client.hset(damaged, "ended_ms", ended_ms)
    client.delete(of_another_type)
    client.set(of_another_type, "a text", ex=60)
    for _ in range(3):
        keep_to_budgets(world.ctx, 0)
    assert {*ended(world)} == {damaged, of_another_type}
    assert launched(world) == 0, "the budgets after it are kept as well"


def test_a_launch_that_is_forgotten_does_not_fire_its_own_trigger(no_memory: World) -> None:
    world = no_memory
    world.declare(world.trigger(trigger_on_status=["failed", "queued"]))
    world.fail_task()
    world.step()
    (clone,) = world.clones()
    before = launched(world)
    keep_to_budgets(world.ctx, 0)
    assert (before, launched(world)) == (1, 0)
    world.call("tasks.edit", task=clone["id"], comment="changed", force=True)
    world.step()
    assert [one["id"] for one in world.clones()] == [clone["id"]]


def test_within_the_budget_and_for_an_hour_everything_is_kept(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    keep_to_budgets(world.ctx, 0)
    assert (len(ended(world)), launched(world)) == (1, 1)
    world.ctx.settings = world.settings.model_copy(update={"firings_megabytes": 1e-9, "launched_megabytes": 1e-9})
    keep_to_budgets(world.ctx, 0)
    assert (len(ended(world)), launched(world)) == (1, 1)


def test_the_oldest_are_forgotten_and_as_many_as_are_too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "KEPT_MS", -1_000)
    world.declare(world.trigger())
    for _ in range(12):
        world.fail_task()
    world.step()
    known = {name: int(world.ledger.store.client.hget(name, "ended_ms") or 0) for name in ended(world)}
    assert len(known) == 12
    gone = world.ledger.forgetting.ended(8, world.ledger.now_ms() + 1_000)
    assert (gone.count, gone.left) == (4, 8)
    kept = ended(world)
    assert min(known[name] for name in kept) >= max(ms for name, ms in known.items() if name not in kept)


def test_a_firing_that_waits_is_never_forgotten(no_memory: World) -> None:
    world = no_memory
    world.declare(world.trigger())
    world.fail_task()
    world.poll()
    world.match()
    assert world.ledger.due("dispatch") == 1
    keep_to_budgets(world.ctx, 0)
    world.step()
    assert sum(world.runs().values()) == 1
