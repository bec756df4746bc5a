"""What lies in Redis is damaged: only the damaged thing stops, and it is seen. The rest goes on."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.stages.conftest import World
from tests.property.ledger.profile import profile
from tests.property.robustness.mutations import DAMAGE, JUNK, WHICH, Damage
from triggers.base.errors import Newer, Unreadable
from triggers.ledger.deployment.schedulers import Scheduler, read_all
from triggers.ledger.polling.batches import decode_batch, partition_of
from triggers.ledger.registry.registry import Entry
from triggers.model.events import Event
from triggers.stages import quarantine


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def goes_on(world: World, waiting: int | None = None) -> None:
    """A change is launched exactly once by the trigger that is whole.

    `waiting`: a partition whose changes may wait for a worker of a later release; others' do not.
    """
    while partition_of(failed := world.fail_task(), world.settings.partitions) == waiting:
        pass
    world.step()
    launched = [entry.object for entry in world.history("launched") if entry.trigger == "task:whole"]
    assert launched.count(failed) == 1


def anew(world: World) -> World:
    """Forget what the last example left."""
    world.ledger.store.client.flushall()
    world.hints.partitions.clear()
    world.ctx = world.context()
    world.declare(world.trigger(name="whole"), world.trigger(name="damaged"))
    world.poll()
    return world


@given(damage=DAMAGE)
@profile(25)
def test_a_damaged_registry_entry_is_quarantined_alone_and_kept_as_it_is(world: World, damage: Damage) -> None:
    client, keys = anew(world).ledger.store.client, world.ledger.keys
    text = damage.of(json.loads(client.hget(keys.registry, "task:damaged")))
    client.hset(keys.registry, "task:damaged", text)
    client.incr(keys.registry_version)
    snapshot = world.ledger.registry.snapshot()
    goes_on(world)
    world.pause(world.trigger(name="whole"), False)
    world.declare(world.trigger(name="whole"))
    world.reconcile()
    alarms = world.ledger.history.alarms()
    if "task:damaged" in snapshot.unreadable:
        assert client.hget(keys.registry, "task:damaged") == text
        assert f"{quarantine.ALARM}trigger task:damaged" in alarms
        world.declare(world.trigger(name="whole"), world.trigger(name="damaged"))
        assert not world.ledger.registry.snapshot().unreadable
        world.step()
        assert {e.trigger for e in world.history("launched")} == {"task:whole", "task:damaged"}, "it catches up"


@given(damage=DAMAGE)
@profile(25)
def test_a_damaged_batch_or_event_is_taken_out_of_the_way_and_kept(world: World, damage: Damage) -> None:
    client, keys = anew(world).ledger.store.client, world.ledger.keys
    failed = world.fail_task()
    world.poll()
    partition = partition_of(failed, world.settings.partitions)
    name = keys.batches(partition)
    head, *events = client.lindex(name, 0).split("\n")
    lines = [head, *events]
    place = damage.which % len(lines)
    lines[place] = damage.of(json.loads(lines[place]))
    client.lset(name, 0, "\n".join(lines))
    world.settle()
    goes_on(world, waiting=partition)
    world.reconcile()
    left, quarantined = client.llen(name), world.ledger.quarantine.read()
    fault = _fault("\n".join(lines))
    assert bool(left) == isinstance(fault, Newer), "one of a later release waits for it"
    assert bool(quarantined) == (fault is not None and not left), "nonsense is kept and seen"
    assert ("unreadable:quarantine" in world.ledger.history.alarms()) == bool(quarantined)


def _fault(text: str) -> Unreadable | None:
    """What is wrong with a batch: that it is of a later release goes before that it makes no sense."""
    faults: list[Unreadable] = []
    try:
        lines = decode_batch(text).events
    except Unreadable as fault:
        return fault
    for line in lines:
        try:
            Event.from_json(line)
        except Unreadable as fault:
            faults.append(fault)
    return next((fault for fault in faults if isinstance(fault, Newer)), faults[0] if faults else None)


@given(
    edits=st.lists(st.tuples(WHICH, st.none() | st.text(max_size=20) | JUNK.map(json.dumps)), min_size=1, max_size=3)
)
@profile(40)
def test_a_damaged_firing_ends_as_a_dead_letter_or_is_carried_out(
    world: World, edits: list[tuple[int, str | None]]
) -> None:
    client, keys = anew(world).ledger.store.client, world.ledger.keys
    world.fail_task()
    world.poll()
    while world.hints.partitions:
        _match(world)
    first = client.zrange(keys.due("dispatch"), 0, 0)[0]
    fields = client.hgetall(keys.firing(first))
    for which, text in edits:
        name = sorted(fields)[which % len(fields)]
        if text is None:
            client.hdel(keys.firing(first), name)
        else:
            client.hset(keys.firing(first), name, text.encode("utf-8", "surrogatepass"))
    goes_on(world)
    for _ in range(3):  # no loop that takes it again and again
        world.expire_leases()
        world.settle()
        world.reconcile()
    firing = world.ledger.firings.get(first)
    if firing is None:
        return  # nothing was left of it
    waits = firing.unread and "of version" in firing.unread
    assert waits or client.zscore(keys.due("dispatch"), first) is None
    if firing.state == "dead":
        (dead,) = [one for one in world.ledger.operations.dead() if one.key == first]
        assert dead.reason
        world.ledger.operations.retry_dead(first)
        world.hints.dispatches = 1
        world.settle()
        assert client.zscore(keys.due("dispatch"), first) is None


def _match(world: World) -> None:
    from triggers.stages.match import match

    match(world.ctx, world.hints.partitions.pop())


@given(text=st.text(max_size=30) | st.sampled_from(["1:1:5", "a:b:c:d", "1:1:1:1:1", "1:1:x:0", "\n"]))
@profile(15)
def test_a_damaged_mark_decides_nothing_and_is_seen(world: World, text: str) -> None:
    client, keys = anew(world).ledger.store.client, world.ledger.keys
    failed = world.fail_task()
    client.hset(keys.marks("task:damaged"), failed, text.encode("utf-8", "surrogatepass"))
    world.step()
    goes_on(world)
    fired = {entry.trigger for entry in world.history("launched") if entry.object == failed}
    assert "task:whole" in fired
    if not _is_mark(text):
        assert "task:damaged" not in fired
        with pytest.raises(Unreadable, match="HDEL"):
            world.ledger.matching.mark("task:damaged", failed)
        assert world.ledger.quarantine.read()


def _is_mark(text: str) -> bool:
    parts = text.split(":")
    try:
        return not text or len([int(part) for part in (parts[0], *parts[2:])]) == 3
    except ValueError:
        return False


@given(damage=DAMAGE)
@profile(30)
def test_a_damaged_scheduler_record_leaves_the_others_readable(world: World, damage: Damage) -> None:
    client = anew(world).ledger.store.client
    whole = Scheduler("h", "w", "p", "n", 5.0)
    client.hset("triggers:schedulers", whole.id, whole.to_json())
    client.hset("triggers:schedulers", "damaged", damage.of(json.loads(whole.to_json())))
    found, unreadable = read_all(client)
    assert found[whole.id] == whole
    assert ("damaged" in found) != ("damaged" in unreadable)


@given(damage=DAMAGE)
@profile(60)
def test_an_entry_is_read_or_refused_and_nothing_else(world: World, damage: Damage) -> None:
    trigger = world.trigger(name="t", trigger_on_tags=["x"], action={"parameters": {"Args/a": "${task.id}"}})
    text = damage.of(json.loads(Entry(trigger, 5, 6, "script").to_json()))
    with suppress(Unreadable):  # Newer is one
        Entry.from_json("task:t", text)
