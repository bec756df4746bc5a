"""Settings at the largest values that they may have: every stage can calculate with them."""

from __future__ import annotations

from typing import Any

import pytest
from annotated_types import Le

from tests.integration.stages.conftest import World
from triggers.base.settings import Settings
from triggers.ledger.firings import forgetting
from triggers.stages.budgets import keep_to_budgets

LARGEST: dict[str, Any] = {
    name: one.le for name, field in Settings.model_fields.items() for one in field.metadata if isinstance(one, Le)
}


def test_a_change_is_launched_once_and_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "KEPT_MS", -1_000)
    world.ctx = world.context(**LARGEST)
    world.declare(world.trigger())
    for _ in range(2):
        failed = world.fail_task()
        world.step()
        world.lose_hints()
        world.reconcile()
        keep_to_budgets(world.ctx, 0)
        world.call("tasks.edit", task=failed, comment="changed once more", force=True)
    assert sorted(world.runs().values()) == [1, 1]
    assert world.ledger.forgetting.launches() == 2
    assert world.history("failed") == []


def test_a_launch_that_fails_is_tried_again(world: World) -> None:
    world.ctx = world.context(**LARGEST)
    world.declare(world.trigger(action={"queue": "not there yet"}))
    world.fail_task()
    world.step()
    assert [one.what for one in world.history()] == ["granted", "failed"]
