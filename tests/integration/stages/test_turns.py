"""A stage leaves room for the other schedulers, and a failure of one admission ends that firing's attempt alone."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.stages import turn
from triggers.stages.dispatch import dispatch
from triggers.stages.match import match

OTHER = "0" * 16


class Clock:
    """The monotonic clock of turns; a second passes at each look."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += turn.TURN_SECONDS
        return self.seconds


@pytest.fixture
def time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "time", Clock())


def three_failures(world: World) -> None:
    world.declare(world.trigger())
    for _ in range(3):
        world.fail_task()
    world.poll()


@pytest.mark.usefixtures("time_passes")
def test_a_long_list_is_carried_on_behind_the_hints_of_others(world: World) -> None:
    three_failures(world)
    world.match()
    ctx, world.hints.dispatches = world.context(batch_firings=1), 0
    world.hints.others = {OTHER}
    assert dispatch(ctx) == 1
    assert world.hints.dispatches == 1, "it asks for another turn, once"
    assert dispatch(ctx) == 1
    world.hints.others = set()
    assert dispatch(ctx) == 1


@pytest.mark.usefixtures("time_passes")
def test_a_long_list_is_carried_on_at_once_where_no_other_waits(world: World) -> None:
    three_failures(world)
    world.match()
    world.hints.others = {world.ledger.scheduler}
    assert dispatch(world.context(batch_firings=1)) == 3


@pytest.mark.usefixtures("time_passes")
def test_many_events_are_matched_on_behind_the_hints_of_others(world: World) -> None:
    ctx = world.context(batch_events=1, partitions=1)
    world.declare(world.trigger())
    for _ in range(3):
        world.fail_task()
    world.poll(ctx)
    world.hints.others = {OTHER}
    assert [match(ctx), match(ctx)] == [1, 1], "a batch in each turn"
    assert world.ledger.matchers.take({}, lease_seconds=1, events=1)[1].partitions, "nobody holds what is left"


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
