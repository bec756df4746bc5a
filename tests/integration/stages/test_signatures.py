"""With a key, nothing that somebody else wrote to Redis is carried out: it is quarantined, and says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import Usage
from triggers.base.settings import Settings
from triggers.context import Context
from triggers.ledger import Ledger, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.firings.firing import firing_key
from triggers.ledger.signing import is_sealed, parted
from triggers.stages.dispatch import dispatch
from triggers.stages.match import match
from triggers.stages.quarantine import raise_alarms

KEY, OTHER = "of-the-scripts-and-workers", "of-somebody-else-altogether"


@pytest.fixture
def signed(world: World) -> World:
    """A world in which everybody has the key."""
    rekey(world, KEY)
    return world


def rekey(world: World, *keys: str) -> None:
    world.settings = world.settings.model_copy(update={"signing_key": keys})
    run_id = world.ledger.store.run_id
    world.ledger = open_ledger(world.ledger.store, world.ledger.scheduler, world.settings)
    assert world.ledger.store.run_id == run_id


def attacker(world: World, *keys: str) -> Ledger:
    """The ledger as it is seen by who has Redis, and no key or another one."""
    of: Settings = world.settings.model_copy(update={"signing_key": keys})
    return open_ledger(world.ledger.store, world.ledger.scheduler, of)


def alarms(ctx: Context) -> str:
    raise_alarms(ctx)
    return " ".join(alarm["text"] for alarm in ctx.ledger.history.alarms().values())


def test_who_has_the_key_notices_nothing(signed: World):
    signed.declare(signed.trigger(name="t"))
    signed.fail_task()
    signed.step(signed.context())
    assert len(signed.clones()) == 1
    assert alarms(signed.context()) == ""
    assert all(map(is_sealed, signed.ledger.store.client.hgetall(signed.ledger.keys.registry).values()))


def rewrite_entry(world: World, trigger: str, change: Callable[[dict[str, Any]], Any], signer: Ledger) -> None:
    """Write a changed entry, signed as somebody else can."""
    client, name = world.ledger.store.client, world.ledger.keys.registry
    entry = json.loads(parted(str(client.hget(name, trigger)))[0])
    change(entry)
    client.hset(name, trigger, signer.signer.seal("trigger", trigger, json.dumps(entry)))
    client.incr(world.ledger.keys.registry_version)


@pytest.mark.parametrize("keys", [(), (OTHER,)], ids=["unsigned", "signed by another"])
def test_a_trigger_that_somebody_else_wrote_is_quarantined(signed: World, keys: tuple[str, ...]):
    mine, other = signed.trigger(name="mine"), signed.trigger(name="other")
    signed.declare(mine, other)
    foreign = signed.create_task("foreign base task")

    def launch_another(entry: dict[str, Any]) -> None:
        action = json.loads(entry["trigger"]) if isinstance(entry["trigger"], str) else entry["trigger"]
        action["action"]["base_task_id"] = foreign
        entry["trigger"] = json.dumps(action) if isinstance(entry["trigger"], str) else action

    rewrite_entry(signed, mine.id, launch_another, attacker(signed, *keys))
    signed.fail_task()
    signed.step(signed.context())
    assert [entry.trigger for entry in signed.history("launched")] == [other.id]
    assert not signed.call("tasks.get_all_ex", parent=foreign, search_hidden=True)["tasks"]
    said = alarms(signed.context())
    assert mine.id in said
    assert "is refused" in said
    assert other.id not in said


def test_a_trigger_cannot_be_passed_off_as_another(signed: World):
    """What one trigger's entry signs is for its id, and for its scheduler."""
    one, two = signed.trigger(name="one"), signed.trigger(name="two")
    signed.declare(one, two)
    client, name = signed.ledger.store.client, signed.ledger.keys.registry
    text = str(client.hget(name, one.id))
    of_another = open_ledger(signed.ledger.store, "another-scheduler", signed.settings)
    for moved in (text, of_another.signer.seal("trigger", two.id, parted(text)[0])):
        client.hset(name, two.id, moved)
        client.incr(signed.ledger.keys.registry_version)
        assert set(signed.ledger.registry.snapshot().unreadable) == {two.id}


def test_declaring_it_again_is_the_fix(signed: World):
    mine = signed.trigger(name="mine")
    signed.declare(mine)
    rewrite_entry(signed, mine.id, lambda entry: entry.update(paused=True), attacker(signed))
    assert signed.ledger.registry.snapshot().get(mine.id) is None
    signed.declare(mine)
    assert signed.ledger.registry.snapshot().get(mine.id) is not None


def forge_firing(world: World, ledger: Ledger, trigger: str, **fields: str) -> str:
    """Write a firing that is due, for an object of one's choice, as far as the key at hand allows."""
    client, task = ledger.store.client, world.create_task("of no interest")
    source = next(iter(client.scan_iter(ledger.keys.firing("*"))))
    forged = {**client.hgetall(source), "object": task, "occurrence": "1", "state": "waiting", **fields}
    key = forged["key"] = firing_key(ledger.scheduler, trigger, task, 1)
    for name in ("signature", "lease", "task", "attempts", "ended_ms"):
        forged.pop(name, None)
    if ledger.signer.has_key:
        from triggers.ledger.firings.firing import signed_parts

        forged["signature"] = ledger.signer.sign("firing", *signed_parts(forged))
    client.hset(ledger.keys.firing(key), mapping=forged)
    client.zadd(ledger.keys.due("dispatch"), {key: 0})
    return key


@pytest.mark.parametrize("keys", [(), (OTHER,)], ids=["unsigned", "signed by another"])
def test_a_firing_that_somebody_else_wrote_is_a_dead_letter(signed: World, keys: tuple[str, ...]):
    mine = signed.trigger(name="mine")
    signed.declare(mine)
    signed.fail_task()
    signed.step(signed.context())
    assert len(signed.clones()) == 1
    key = forge_firing(signed, attacker(signed, *keys), mine.id)
    dispatch(signed.context())
    assert len(signed.clones()) == 1
    firing = signed.ledger.firings.get(key)
    assert firing is not None
    assert firing.state == "dead"
    assert "is refused" in firing.reason
    assert any(entry.firing == key and "is refused" in entry.reason for entry in signed.history("dead"))
    assert "in Redis was refused" in alarms(signed.context())
    # with the key it would have been launched: the test forges well enough
    forge_firing(signed, signed.ledger, mine.id)
    dispatch(signed.context())
    assert len(signed.clones()) == 2


def test_a_changed_firing_is_a_dead_letter(signed: World):
    mine = signed.trigger(name="mine")
    signed.declare(mine)
    signed.fail_task()
    signed.poll(signed.context())
    while signed.hints.partitions:
        match(signed.context(), signed.hints.partitions.pop())
    client = signed.ledger.store.client
    (name,) = client.scan_iter(signed.ledger.keys.firing("*"))
    client.hset(name, "object", signed.create_task("another"))
    dispatch(signed.context())
    assert signed.clones() == []
    assert client.hget(name, "state") == "dead"


def test_no_draft_of_others_is_deleted_on_the_word_of_who_can_write_to_redis(signed: World):
    """A recorded ClearML task that is still a draft is deleted: it has to be one that a worker recorded."""
    mine = signed.trigger(name="mine")
    signed.declare(mine)
    signed.fail_task()
    signed.poll(signed.context())
    while signed.hints.partitions:
        match(signed.context(), signed.hints.partitions.pop())
    client = signed.ledger.store.client
    (name,) = client.scan_iter(signed.ledger.keys.firing("*"))
    precious = signed.create_task("a draft that somebody works on")
    client.hset(name, mapping={"task": precious, "withdrawing": precious, "withdrawn_ms": "1", "recorded_ms": "1"})
    dispatch(signed.context())
    assert signed.call("tasks.get_by_id", task=precious)["task"]["status"] == "created"
    assert client.hget(name, "state") == "dead"


@pytest.mark.parametrize("keys", [(), (OTHER,)], ids=["unsigned", "signed by another"])
def test_a_batch_that_somebody_else_wrote_is_taken_away_and_the_rest_goes_on(signed: World, keys: tuple[str, ...]):
    mine = signed.trigger(name="mine")
    signed.declare(mine)
    signed.fail_task()
    signed.poll(signed.context())
    (partition,) = signed.ledger.reading.waiting_partitions()
    client, ledger = signed.ledger.store.client, attacker(signed, *keys)
    genuine = str(client.lindex(signed.ledger.keys.batches(partition), 0))
    head, event, _ = genuine.split("\n")
    forged = event.replace(json.loads(event)["id"], signed.create_task("of no interest"))
    assert forged != event
    text = ledger.signer.seal("batch of partition", str(partition), f"{head.replace('polled', 'polled')}\n{forged}")
    client.lpush(signed.ledger.keys.batches(partition), text)
    signed.settle(signed.context())
    assert len(signed.clones()) == 1, "the genuine one"
    assert signed.ledger.refused.count() == 1
    assert "in Redis was refused" in alarms(signed.context())


def test_a_batch_cannot_be_moved_to_another_partition(signed: World):
    signed.declare(signed.trigger(name="mine"))
    signed.fail_task()
    signed.poll(signed.context())
    (partition,) = signed.ledger.reading.waiting_partitions()
    keys = signed.ledger.keys
    signed.ledger.store.client.rename(keys.batches(partition), keys.batches((partition + 1) % 16))
    match(signed.context(), (partition + 1) % 16)
    assert signed.ledger.refused.count() == 1


def test_undecided_events_that_somebody_else_wrote_are_not_decided_on(signed: World):
    mine = signed.trigger(name="mine")
    signed.declare(mine)
    signed.fail_task()
    signed.poll(signed.context())
    (partition,) = signed.ledger.reading.waiting_partitions()
    client, keys = signed.ledger.store.client, signed.ledger.keys
    _, event, _ = str(client.lpop(keys.batches(partition))).split("\n")
    client.hset(keys.undecided(partition), json.loads(event)["id"], json.dumps([[mine.id, event]]))
    client.sadd(keys.undecided_partitions, partition)
    match(signed.context(), partition)
    dispatch(signed.context())
    assert signed.clones() == []
    assert signed.ledger.refused.count() == 1
    assert not client.exists(keys.undecided(partition))


def test_without_a_key_all_stays_as_it_is(world: World):
    world.declare(world.trigger(name="t"))
    world.fail_task()
    world.step()
    client, keys = world.ledger.store.client, world.ledger.keys
    assert len(world.clones()) == 1
    assert not any(map(is_sealed, client.hgetall(keys.registry).values()))
    for name in client.scan_iter(keys.firing("*")):
        assert not {"signature", "task_signature"} & set(client.hkeys(name))


def test_keys_are_exchanged_one_after_the_other(signed: World):
    """All accept the new one, then all sign with it, then none accepts the old one."""
    new = "of-the-scripts-and-workers-from-now-on"
    signed.declare(signed.trigger(name="t"))
    signed.fail_task()
    signed.poll(signed.context())
    rekey(signed, KEY, new)
    assert not signed.ledger.registry.snapshot().unreadable
    signed.settle(signed.context())
    rekey(signed, new, KEY)
    signed.declare(signed.trigger(name="t", trigger_on_tags=["x"]))
    signed.fail_task(tags=["x"])
    signed.step(signed.context())
    rekey(signed, new)
    assert not signed.ledger.registry.snapshot().unreadable
    signed.fail_task(tags=["x"])
    signed.step(signed.context())
    assert len(signed.clones()) == 3
    assert signed.ledger.refused.count() == 0


def test_who_has_no_key_does_not_write_what_all_would_refuse(signed: World):
    mine = signed.trigger(name="mine")
    signed.declare(mine)
    rekey(signed)
    assert signed.ledger.registry.snapshot().get(mine.id) is not None, "it reads"
    with pytest.raises(Usage, match="TRIGGERS_SIGNING_KEY"):
        signed.pause(mine)


def test_the_record_of_a_scheduler_is_signed(signed: World):
    client = signed.ledger.store.client
    record = schedulers.Scheduler("http://h", "w", "p", "n", 5.0, "service-task")
    ledger = open_ledger(signed.ledger.store, record.id, signed.settings)
    schedulers.put(client, record, ledger.signer)
    assert schedulers.read_all(client, signed.settings)[0][record.id] == record
    assert schedulers.read_all(client)[0][record.id] == record
    schedulers.put(client, record)
    found, unreadable = schedulers.read_all(client, signed.settings)
    assert found == {}
    assert "is refused" in str(unreadable[record.id])


def test_a_record_under_another_id_is_left_alone(world: World):
    client = world.ledger.store.client
    record = schedulers.Scheduler("http://h", "w", "p", "n", 5.0)
    client.hset(schedulers.shared("schedulers"), "0" * 16, record.to_json())
    client.hset(schedulers.shared("schedulers"), "a}:registry{", record.to_json())
    found, unreadable = schedulers.read_all(client)
    assert found == {}
    assert set(unreadable) == {"0" * 16, "a}:registry{"}


def test_one_signature_is_made_for_a_batch_and_one_for_a_firing(signed: World, monkeypatch: pytest.MonkeyPatch):
    """The hot path: what events cost does not grow by signing each of them."""
    from triggers.ledger import signing

    signed.declare(signed.trigger(name="t"), signed.trigger(name="never", trigger_on_status=["published"]))
    for _ in range(5):
        signed.fail_task()
    ctx = signed.context(partitions=1)
    ctx.plan()
    made: list[bytes] = []
    by = signing.Signer._by
    monkeypatch.setattr(signing.Signer, "_by", staticmethod(lambda key, text: made.append(text) or by(key, text)))
    signed.poll(ctx)
    assert len(made) == 1
    match(ctx, 0)
    assert len(made) == 1 + 1 + 5, "the batch is verified, five firings are signed"
    signed.hints.partitions.clear()
    made.clear()
    dispatch(ctx)
    assert len(made) == 2 * 5, "each firing is verified, and its ClearML task signed"
