"""What people do to firings, and what Redis may have forgotten."""

from __future__ import annotations

from tests.integration.stages.conftest import World
from triggers.ledger.epoch import adopt


def begin_epoch(world: World) -> None:
    """As if Redis had been restarted: another run wrote last."""
    world.ledger.store.client.hset(world.ledger.keys.epoch, "run_id", "0" * 40)
    world.ctx = world.context()


def test_a_retried_dead_letter_looks_first_and_launches(world: World) -> None:
    world.declare(world.trigger(action={"queue": "made later"}))
    world.fail_task()
    world.step()
    for _ in range(world.settings.max_attempts):
        world.expire_leases()
        world.reconcile()
    (letter,) = world.ledger.operations.dead()
    world.call("queues.create", name="made later")
    assert world.ledger.operations.retry_dead(letter.key)
    assert not world.ledger.operations.retry_dead(letter.key)
    world.reconcile()
    assert list(world.runs().values()) == [1]
    assert world.ledger.operations.dead() == []


def test_a_dropped_firing_never_fires_again(world: World) -> None:
    trigger = world.trigger()
    world.declare(trigger)
    world.pause(trigger)
    failed = world.fail_task()
    world.step()
    hold = f"pause:{trigger.id}"
    (held,) = world.ledger.operations.held(hold)
    assert world.ledger.operations.drop_held(hold, [held.key], "a person") == 1
    assert world.ledger.operations.drop_held(hold, [held.key], "a person") == 0
    world.pause(trigger, paused=False)
    world.call("tasks.update_tags", ids=[failed], add_tags=["again"])
    world.step()
    world.reconcile()
    assert world.clones() == []
    assert world.history("dropped")[0].reason == "a person"


def test_a_flood_is_held_visible_alarmed_and_stopped_by_one_call(world: World) -> None:
    trigger = world.trigger(trigger_on_tags=["bulk"], policy={"max_per_minute": 3})
    world.declare(trigger)
    ids = [world.create_task(f"one of many {i}") for i in range(40)]
    world.call("tasks.update_tags", ids=ids, add_tags=["bulk"])
    world.step()
    hold = f"pace:{trigger.id}"
    assert (len(world.clones()), world.ledger.operations.held_count(hold)) == (3, 37)
    assert "more than 3 times a minute" in world.ledger.history.alarms()[hold]["text"]
    world.pause(trigger)
    world.ledger.store.client.hset(world.ledger.keys.pace(trigger.id), "minute", 0)
    world.reconcile()
    assert len(world.clones()) == 3, "paused: what was released is held again"
    held = world.ledger.operations.held(f"pause:{trigger.id}") + world.ledger.operations.held(hold)
    assert len(held) == 37
    for name in (hold, f"pause:{trigger.id}"):
        world.ledger.operations.drop_held(name, [firing.key for firing in held], "a person")
    world.reconcile()
    assert world.ledger.history.alarms() == {}


def test_a_slot_that_redis_forgot_is_known_again_from_what_runs(world: World) -> None:
    trigger = world.trigger(policy={"single_instance": True})
    world.declare(trigger)
    world.fail_task()
    world.step()
    (running,) = world.clones()
    world.ledger.store.client.delete(world.ledger.keys.slots)
    begin_epoch(world)
    world.fail_task()
    world.step()
    assert [c["id"] for c in world.clones()] == [running["id"]]
    assert world.history("skipped")[0].task == running["id"]


def test_a_launch_that_redis_forgot_is_found_by_its_key(world: World) -> None:
    world.declare(world.trigger())
    failed = world.fail_task()
    world.step()
    client, keys = world.ledger.store.client, world.ledger.keys
    for key in client.scan_iter(f"{keys.prefix}*"):
        if key not in (keys.registry, keys.registry_version):
            client.delete(key)
    assert not adopt(world.ledger.store, keys).complete, "an empty Redis has forgotten what was launched"
    world.ctx = world.context()
    world.step()
    world.call("tasks.update_tags", ids=[failed], add_tags=["much later"])
    world.step()
    assert list(world.runs().values()) == [1]
    assert world.history("launched")[0].reason == "found by its key"


def test_launches_of_long_ago_are_forgotten(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    (launched,) = world.clones()
    assert world.ledger.firings.launchers([launched["id"]])
    world.ledger.store.client.zadd(world.ledger.keys.launched_times, {launched["id"]: 1})
    world.reconcile()
    assert world.ledger.firings.launchers([launched["id"]]) == {}


def test_a_trigger_registered_while_a_poll_reads_misses_nothing(world: World) -> None:
    first, second = (
        world.trigger(name="first"),
        world.trigger(name="second", trigger_on_metric="loss", trigger_on_variant="val", trigger_on_threshold=1),
    )
    world.declare(first)
    world.step()
    read, failed = world.api.call, []

    def register_during_the_read(endpoint: str, body: dict) -> object:  # type: ignore[type-arg]
        if endpoint == "tasks.get_all_ex" and not failed:
            failed.append("begun")
            world.declare(first, second)
            task = world.create_task()
            world.call("tasks.started", task=task)
            world.call(
                "events.add", type="training_stats_scalar", task=task, iter=1, metric="loss", variant="val", value=0.5
            )
            world.call("tasks.failed", task=task)
        return read(endpoint, body)

    world.api.call = register_during_the_read  # type: ignore[method-assign, assignment]
    world.step()
    world.api.call = read  # type: ignore[method-assign]
    world.step()
    assert {entry.trigger for entry in world.history("launched")} == {first.id, second.id}
