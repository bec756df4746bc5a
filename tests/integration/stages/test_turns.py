"""A dispatch leaves room for the other schedulers, and a failure of one admission ends that firing's attempt alone."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.stages import dispatch as stage
from triggers.stages.match import match


def test_a_long_list_is_carried_on_behind_the_hints_of_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "BATCHES_PER_TURN", 2)
    world.declare(world.trigger())
    for _ in range(3):
        world.fail_task()
    world.poll()
    ctx = world.context(batch_firings=1)
    while world.hints.partitions:
        match(ctx, world.hints.partitions.pop())
    world.hints.dispatches = 0
    assert stage.dispatch(ctx) == 2
    assert world.hints.dispatches == 1, "it asks for another turn"
    assert stage.dispatch(ctx) == 1
    assert world.hints.dispatches == 1, "nothing is left"


@pytest.mark.sandbox_control
def test_an_admission_that_fails_ends_its_own_attempt_alone(world: World) -> None:
    single = world.trigger(name="single", policy={"single_instance": True})
    world.declare(single, world.trigger(name="plain"))
    world.fail_task()
    world.step()
    world.fail_task()
    # the next read of a status is that of the slot's holder
    world.sandbox.control.fault("error", "tasks.get_all", status=500, times=1)
    world.step()
    assert sorted(entry.trigger for entry in world.history("launched")) == ["task:plain", "task:plain", "task:single"]
    assert [entry.trigger for entry in world.history("failed")] == ["task:single"]
