"""How many trips to Redis a stage makes: on a network each costs its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.integration.stages.conftest import World
from triggers.ledger.reading import partition_of
from triggers.stages.match import match
from triggers.stages.reconcile import reconcile

Trips = Callable[[Callable[[], Any]], int]


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    """Counts what is sent while something is done: each send waits for its answer."""
    sent: list[object] = []
    send = redis.connection.AbstractConnection.send_packed_command

    def counted(self: Any, command: Any, check_health: bool = True) -> None:
        sent.append(command)
        send(self, command, check_health)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counted)

    def during(done: Callable[[], Any]) -> int:
        before = len(sent)
        done()
        return len(sent) - before

    return during


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


def test_an_idle_reconcile_makes_three(world: World, trips: Trips) -> None:
    warm(world)
    assert trips(lambda: reconcile(world.ctx)) <= 3
