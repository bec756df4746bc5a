"""Workers with different numbers of partitions, as during a rollout: an object's events stay in one partition."""

from __future__ import annotations

import logging

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.polling.batches import decode_batch, partition_of
from triggers.model.events import Event
from triggers.stages.match import match


def waiting(world: World) -> dict[int, list[str]]:
    """Partition → the ids in its batches, oldest first."""
    client, keys = world.ledger.store.client, world.ledger.keys
    found = {}
    for partition in sorted(world.ledger.reading.waiting_partitions()):
        batches = [decode_batch(text).events for text in client.lrange(keys.batches(partition), 0, -1)]
        found[partition] = [Event.from_json(line).id for lines in batches for line in lines]
    return found


def tagged(world: World, *ids: str, tag: str) -> None:
    world.tick()
    for id_ in ids:
        world.call("tasks.update_tags", ids=[id_], add_tags=[tag])


@pytest.mark.parametrize(("first", "second"), [(16, 3), (3, 16), (16, 1), (1, 256)])
def test_events_join_those_of_their_object_that_wait(
    world: World, caplog: pytest.LogCaptureFixture, first: int, second: int
) -> None:
    world.declare(world.trigger(trigger_on_any_tags=["a", "b"]))
    objects = [world.create_task() for _ in range(12)]
    old, new = world.context(partitions=first), world.context(partitions=second)
    tagged(world, *objects, tag="a")
    world.poll(old)
    tagged(world, *objects, tag="b")
    with caplog.at_level(logging.WARNING):
        world.poll(new)
    known = "1 partition:" if first == 1 else f"{first} partitions:"
    assert f"TRIGGERS_PARTITIONS is {second} here, and events wait in {known}" in caplog.text
    found = waiting(world)
    for id_ in objects:
        assert [partition for partition, ids in found.items() if id_ in ids] == [partition_of(id_, first)]
    world.settle(new)
    assert sorted(entry.object for entry in world.history("launched")) == sorted(objects)


def test_a_new_number_counts_once_nothing_waits(world: World) -> None:
    world.declare(world.trigger(trigger_on_tags=["a"]))
    old, new = world.context(partitions=16), world.context(partitions=2)
    one, other = world.create_task(), world.create_task()
    tagged(world, one, tag="a")
    world.poll(old)
    world.settle(new)
    tagged(world, other, tag="a")
    world.poll(new)
    assert [partition for partition, ids in waiting(world).items() if other in ids] == [partition_of(other, 2)]
    tagged(world, one, tag="b")
    world.poll(old)  # which is still there: it goes by what waits
    assert set(waiting(world)) <= {0, 1}
    assert world.ledger.store.client.hget(world.ledger.keys.epoch, "partitions") == "2"


def test_undecided_events_count_as_waiting(world: World) -> None:
    """They are looked at again in their own partition only."""
    world.declare(world.trigger(trigger_on_tags=["a"]))
    one = world.create_task()
    tagged(world, one, tag="a")
    world.poll(world.context(partitions=16))
    partition = partition_of(one, 16)
    match(world.ctx, partition)
    world.ledger.store.client.sadd(world.ledger.keys.undecided_partitions, partition)
    assert world.ledger.reading.partitions(2) == 16
    world.ledger.store.client.srem(world.ledger.keys.undecided_partitions, partition)
    assert world.ledger.reading.partitions(2) == 2
