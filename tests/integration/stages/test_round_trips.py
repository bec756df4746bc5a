"""How many trips to Redis a stage makes: on a network each costs its time."""

from __future__ import annotations

from tests.integration.stages.conftest import World
from tests.integration.trips import Trips, trips
from triggers.ledger.batches import partition_of
from triggers.stages.match import match
from triggers.stages.poll import poll
from triggers.stages.reconcile import reconcile

__all__ = ["trips"]


def warm(world: World) -> None:
    """Everything that is asked once: scripts, the registry, what is known of its triggers."""
    world.declare(world.trigger())
    for _ in range(2):
        world.fail_task()
        world.step()
    reconcile(world.ctx)
    world.hints.partitions.clear()


def test_one_event_is_matched_in_three(world: World, trips: Trips) -> None:
    warm(world)
    world.fail_task()
    world.poll()
    assert trips(lambda: match(world.ctx)) <= 3
    assert world.ledger.due("dispatch") == 1


def test_nine_events_of_nine_partitions_are_matched_together(world: World, trips: Trips) -> None:
    warm(world)
    found = dict[int, str]()
    while len(found) < 9:
        id_ = world.create_task()
        found.setdefault(partition_of(id_, world.settings.partitions), id_)
    for id_ in found.values():
        world.call("tasks.started", task=id_)
        world.call("tasks.failed", task=id_)
    world.poll()
    assert len(world.ledger.reading.waiting_partitions()) >= 9
    assert trips(lambda: match(world.ctx)) <= 4
    assert world.ledger.due("dispatch") == 9


def test_a_hint_for_nothing_costs_one(world: World, trips: Trips) -> None:
    warm(world)
    assert trips(lambda: match(world.ctx)) == 1


def test_an_idle_reconcile_makes_one(world: World, trips: Trips) -> None:
    warm(world)
    assert trips(lambda: reconcile(world.ctx)) == 1


def test_a_poll_that_finds_nothing_new_makes_six(world: World, trips: Trips) -> None:
    """Begin, look, store what each of two sources says, compare what was seen, end."""
    world.declare(world.trigger(), world.trigger("model", "models"))
    for _ in range(2):
        world.fail_task()
        world.step()
    assert trips(world.poll) <= 6


def test_a_tick_before_the_next_poll_makes_one(world: World, trips: Trips) -> None:
    warm(world)
    assert trips(lambda: poll(world.ctx, pace_seconds=3600)) == 1
