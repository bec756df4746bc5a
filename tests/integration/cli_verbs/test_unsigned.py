"""Data from before there was a key: quarantined, listed, adopted by a verb; and what somebody forged: dropped."""

from __future__ import annotations

import json

import pytest
import redis

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.base.settings import settings
from triggers.ledger import open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.signing import is_sealed
from triggers.stages.match import match

KEY = "of-the-scripts-and-workers"


def give_key(world: World, monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    monkeypatch.setenv("TRIGGERS_SIGNING_KEY", ",".join(keys))
    settings.cache_clear()
    world.settings = world.settings.model_copy(update={"signing_key": keys})
    world.ledger = open_ledger(world.ledger.store, world.ledger.scheduler, world.settings)
    world.ctx = world.context()


def test_data_from_before_the_key_is_adopted_and_nothing_is_lost(world: World, monkeypatch: pytest.MonkeyPatch):
    """A trigger, a batch, a firing that waits, one in hand of a pause: all are carried out once, after it."""
    world.declare(world.trigger(name="t"), world.trigger(name="paused"))
    world.pause(world.trigger(name="paused"))
    world.fail_task()
    world.poll()
    match(world.ctx, world.hints.partitions.pop())  # two firings wait
    world.fail_task()
    world.poll()  # one batch waits
    give_key(world, monkeypatch, KEY)
    listed = run("unsigned", "list", "--json")
    assert listed.code == 1
    assert [one["what"].split()[0] for one in listed.json].count("trigger") == 2
    assert [one["what"].split()[0] for one in listed.json].count("firing") == 2
    assert "is refused" in run("list").out
    world.settle()
    assert world.clones() == [], "nothing of it is carried out"
    adopted = run("unsigned", "adopt", "--json")
    assert adopted.json["triggers"] == 2
    assert adopted.json["retried"] == 2
    assert adopted.json["events"] >= 1
    assert run("unsigned", "list").code == 0
    assert "unsigned adopt" in run("audit").out
    world.hints.partitions += range(16)
    world.hints.dispatches = 1
    world.settle()
    assert len(world.clones()) == 2, "one of the firing, one of the batch; the other trigger is paused still"
    assert world.ledger.registry.snapshot().entries[world.trigger(name="paused").id].paused
    assert run("unsigned", "adopt", "--json").json == {"triggers": 0, "events": 0, "firings": 0, "retried": 0}
    found, unreadable = schedulers.read_all(world.ledger.store.client, world.settings)
    assert list(found) == [world.ledger.scheduler]
    assert unreadable == {}


def test_a_batch_that_waits_is_adopted_where_it_lies(world: World, monkeypatch: pytest.MonkeyPatch):
    world.declare(world.trigger(name="t"))
    world.fail_task()
    world.poll()
    give_key(world, monkeypatch, KEY)
    adopted = run("unsigned", "adopt", "--json").json
    assert (adopted["triggers"], adopted["firings"], adopted["retried"]) == (1, 0, 0)
    assert adopted["events"] >= 1
    world.settle()
    assert len(world.clones()) == 1


def test_what_was_forged_is_dropped(world: World, monkeypatch: pytest.MonkeyPatch, redis_client: redis.Redis):
    give_key(world, monkeypatch, KEY)
    world.declare(world.trigger(name="t"))
    redis_client.rpush(world.ledger.keys.batches(3), json.dumps({"v": 1, "id": "x", "plan": 1, "polled_ms": 1}))
    redis_client.zadd(world.ledger.keys.ready, {"3": 1})
    match(world.ctx, 3)
    assert "batch of events in partition 3" in run("unsigned", "list").out
    assert run("unsigned", "drop", "--json").json == {"dropped": 1}
    assert run("unsigned", "list").code == 0


def test_without_a_key_there_is_nothing_to_adopt(world: World):
    world.declare(world.trigger(name="t"))
    for verb in ("list", "adopt"):
        refused = run("unsigned", verb)
        assert refused.code == 2
        assert "TRIGGERS_SIGNING_KEY" in refused.out


def test_verbs_that_change_sign_or_refuse(world: World, monkeypatch: pytest.MonkeyPatch, redis_client: redis.Redis):
    give_key(world, monkeypatch, KEY)
    world.declare(world.trigger(name="t"))
    task = world.fail_task()
    assert run("pause", "t").code == 0
    assert run("resume", "t").code == 0
    assert run("fire", "t", task).code == 0
    assert all(map(is_sealed, redis_client.hgetall(world.ledger.keys.registry).values()))
    world.hints.dispatches = 1
    world.settle()
    assert len(world.clones()) == 1
    monkeypatch.delenv("TRIGGERS_SIGNING_KEY")
    settings.cache_clear()
    for verb in (["pause", "t"], ["fire", "t", world.fail_task()]):
        refused = run(*verb)
        assert refused.code == 2
        assert "TRIGGERS_SIGNING_KEY" in refused.out
    assert "t" in run("list").out


def test_the_actions_of_an_adopted_firing_are_adopted_with_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = world.trigger(name="t", actions=[{"type": "tag", "add": ["seen"]}])
    world.declare(trigger)
    world.pause(trigger)
    id_ = world.fail_task()
    world.step()
    assert world.ledger.operations.held_count(f"pause:{trigger.id}") == 1
    give_key(world, monkeypatch, KEY)
    assert run("unsigned", "adopt", "--json").json["firings"] == 1
    world.pause(trigger, False)
    world.reconcile()
    assert len(world.clones()) == 1
    (task,) = world.call("tasks.get_all", id=[id_], only_fields=["tags"])["tasks"]
    assert task["tags"] == ["seen"]
    assert world.ledger.operations.dead() == []
