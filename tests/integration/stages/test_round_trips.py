"""How many trips to Redis a stage makes: on a network each costs its time."""

from __future__ import annotations

from tests.integration.stages.conftest import World
from tests.integration.trips import Trips, trips
from triggers.ledger.polling.batches import partition_of
from triggers.rules.batches import TRIPS
from triggers.stages.dispatch import dispatch
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


def test_a_hundred_firings_are_launched_by_two_trips_a_batch(world: World, trips: Trips) -> None:
    warm(world)
    ctx = world.context(batch_firings=50)
    for _ in range(2):  # the process knows the trigger
        world.fail_task()
        world.poll()
        world.match()
        dispatch(ctx)
    for _ in range(100):
        world.fail_task()
    world.poll()
    world.match()
    # a hint that there is more, two batches, and a claim that finds nothing more, and ends the second
    assert trips(lambda: dispatch(ctx)) <= 1 + 2 * TRIPS + 1
    assert len(world.runs()) == 104


def test_a_hint_for_nothing_costs_one(world: World, trips: Trips) -> None:
    warm(world)
    assert trips(lambda: match(world.ctx)) == 1


def test_an_idle_reconcile_makes_one(world: World, trips: Trips) -> None:
    warm(world)
    assert trips(lambda: reconcile(world.ctx)) == 1


def test_a_poll_that_finds_nothing_new_makes_five(world: World, trips: Trips) -> None:
    """Begin, look, store what each of two sources says, end."""
    world.declare(world.trigger(), world.trigger("model", "models"))
    for _ in range(2):
        world.fail_task()
        world.step()
    assert trips(world.poll) <= 5


def test_a_poll_that_finds_something_makes_no_more(world: World, trips: Trips) -> None:
    """Begin, look, store it with the hint, end."""
    warm(world)
    world.fail_task()
    assert trips(world.poll) <= 4
    assert world.hints.partitions == [None]


def test_a_change_of_the_service_task_costs_none(world: World, trips: Trips) -> None:
    """It is noted where the page is stored: sync writes there after each launch."""
    warm(world)
    world.tick()
    world.call("tasks.edit", task=world.service, comment="changed")
    world.fail_task()
    before = world.ledger.service_watch.read().changed_ms
    assert trips(world.poll) <= 4
    assert world.ledger.service_watch.read().changed_ms > before


def test_one_firing_is_launched_in(world: World, trips: Trips) -> None:
    """Claim, begin, record, finish, and a claim that finds nothing more."""
    warm(world)
    world.fail_task()
    world.poll()
    world.match()
    assert trips(lambda: dispatch(world.ctx)) <= 3
    assert len(world.runs()) == 3


def test_a_launch_pays_nothing_for_the_actions_of_others(world: World, trips: Trips) -> None:
    """Nor does a trigger with none pay for what there is: the trips are those of before, and no hint goes to `act`."""

    def made() -> list[int]:
        world.fail_task()
        found = [trips(world.poll), trips(world.match), trips(lambda: dispatch(world.ctx)), trips(reconciled)]
        world.hints.partitions.clear()
        return found

    def reconciled() -> None:
        reconcile(world.ctx)

    warm(world)
    before = made()
    told = [{"type": "webhook", "url": "https://hooks.example.com"}, {"type": "tag", "add": ["seen"]}]
    world.declare(world.trigger(), world.trigger(name="other", trigger_on_status=["published"], actions=told))
    for _ in range(2):
        made()
    assert made() == before
    assert world.hints.acts == 0
    (key, *_) = world.ledger.store.client.scan_iter(f"{world.ledger.keys.prefix}firing:*")
    assert not {"parts", "action"} & set(world.ledger.store.client.hkeys(key))


def test_a_tick_before_the_next_poll_makes_one(world: World, trips: Trips) -> None:
    warm(world)
    assert trips(lambda: poll(world.ctx, pace_seconds=3600)) == 1
