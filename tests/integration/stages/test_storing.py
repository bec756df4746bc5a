"""A poll stores a page by what its process remembers: where that is wrong, as by what Redis says."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.test_what_is_stored import stored
from triggers.ledger.polling.seen_here import SeenHere
from triggers.model.events import Event


@pytest.fixture
def declared(world: World) -> World:
    world.declare(world.trigger(policy={"fire": "on_transition"}))
    world.step()
    return world


def test_what_another_process_has_stored_is_not_stored_again(declared: World) -> None:
    world = declared
    other = world.context()
    world.poll(other)
    for ctx in (other, world.ctx, world.ctx, other):  # each remembers less than was seen
        world.fail_task()
        assert world.poll(ctx).events == 1
    assert stored(world) == 4
    assert [world.poll(ctx).events for ctx in (world.ctx, other)] == [0, 0]
    world.settle()
    assert len(world.history("granted")) == 4


def test_a_hint_is_sent_once_where_the_first_guess_was_wrong(declared: World) -> None:
    world = declared
    other = world.context()
    world.fail_task()
    world.poll(other)
    world.settle()
    world.fail_task()
    assert world.poll().events == 1  # it has not seen the first
    assert world.hints.partitions == [None]


def test_what_is_to_be_read_again_does_not_pass_for_seen(declared: World) -> None:
    """A person has moved the cursor back: `cursor set` forgets what was seen since."""
    world = declared
    world.fail_task()
    assert world.poll().events == 1
    assert world.ledger.by_hand.set_cursor("tasks", 1) == 1
    assert world.poll().events >= 1
    assert stored(world) == 2


def test_a_later_change_of_a_remembered_object_is_new(declared: World) -> None:
    world = declared
    task = world.fail_task()
    assert world.poll().events == 1
    world.tick()
    world.call("tasks.reset", task=task)
    assert world.poll().events == 1
    assert world.poll().events == 0


def test_no_more_is_remembered_than_two_pages() -> None:
    seen = SeenHere(most=3)
    events = [Event(kind="task", id=str(n), changed_ms=n) for n in range(5)]
    seen.note(events[:3])
    seen.note(events[:1])
    seen.note(events[3:])
    assumed = seen.assume(events, 1)
    assert [event.id for event in assumed.known] == ["0", "3", "4"]
    assert [event.id for event in assumed.fresh] == ["1", "2"]
