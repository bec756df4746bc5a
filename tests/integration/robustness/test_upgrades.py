"""A worker of a later release beside one of this: what the one writes, the other refuses; nothing is lost.

The later release is this one with every known version raised by one. What it writes carries the raised version, and
it reads both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.stages.conftest import World
from triggers.base import formats
from triggers.base.errors import Newer
from triggers.clearml_api import identity, service
from triggers.client.inheritance import look
from triggers.ledger import open_ledger
from triggers.ledger.deployment import schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.keys import shared
from triggers.ledger.registry import unread_triggers
from triggers.stages import quarantine
from triggers.stages.match import match
from triggers.sync.saved_state import PROPERTY, Saved

#: Kinds that stand in the ledger; what the launch of one change passes through.
KINDS = ("entry", "trigger", "batch", "event", "firing")


@contextmanager
def later_release(*kinds: str) -> Iterator[None]:
    """In the body, a release works that has raised the versions of these kinds."""
    known, lowest = dict(formats.KNOWN), dict(formats.LOWEST)
    formats.KNOWN.update({kind: known[kind] + 1 for kind in kinds})
    formats.LOWEST.update({kind: known[kind] + 1 for kind in kinds if kind in lowest})
    try:
        yield
    finally:
        formats.KNOWN.update(known)
        formats.LOWEST.update(lowest)


def raised(kind: str) -> tuple[str, ...]:
    """The versions that a release raises together: what lies inside others cannot be raised alone."""
    return {"event": ("event", "batch", "firing"), "trigger": ("trigger", "firing")}.get(kind, (kind,))


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread_triggers, "QUIET_MS", 0)
    monkeypatch.setattr(quarantine, "PATIENCE_SECONDS", -1.0)


def renewed(world: World) -> None:
    """As a process that has just been started: it has read nothing yet."""
    world.ledger = open_ledger(world.ledger.store, world.ledger.scheduler, world.settings)
    world.ctx = world.context()


def alarms(world: World) -> str:
    return " ".join(alarm["text"] for alarm in world.ledger.history.alarms().values())


def run_everything(world: World) -> None:
    world.step()
    world.reconcile()
    world.expire_leases()
    world.settle()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_later_release_wrote_is_refused_kept_and_carried_out_by_it(world: World, kind: str) -> None:
    """The later release writes up to and including that kind; this one works on; the later one comes back."""
    new, old = world.trigger(name="new"), world.trigger(name="old", trigger_on_tags=["old"])
    world.declare(old)
    world.poll()
    with later_release(*raised(kind)):
        renewed(world)
        world.declare(old, new)
        if kind not in ("entry", "trigger"):
            failed = world.fail_task()
            world.poll()
            if kind == "firing":
                while world.hints.partitions:
                    match(world.ctx, world.hints.partitions.pop())
        texts = world.ledger.store.client.hgetall(world.ledger.keys.registry)
    if kind in ("entry", "trigger"):  # the old one stays as this release wrote it
        text = old_entry(world, old.id, texts)
        world.ledger.store.client.hset(world.ledger.keys.registry, old.id, text)
        texts[old.id] = text
    renewed(world)
    if kind in ("entry", "trigger"):
        failed = world.fail_task(tags=["old"])
    run_everything(world)
    assert [entry.trigger for entry in world.history("launched")] == (
        ["task:old"] if kind in ("entry", "trigger") else []
    ), "what can be read goes on, and nothing else"
    assert world.history("dead") == world.history("skipped") == []
    assert any(f"version {formats.KNOWN[one] + 1}" in alarms(world) for one in raised(kind))
    assert world.ledger.store.client.hgetall(world.ledger.keys.registry) == texts, "untouched, byte for byte"
    with later_release(*raised(kind)):
        renewed(world)
        run_everything(world)
        assert [e.object for e in world.history("launched") if e.trigger == "task:new"] == [failed]
        run_everything(world)
        assert not [name for name in world.ledger.history.alarms() if name.startswith(quarantine.ALARM)]
    assert set(world.runs().values()) == {1}


def old_entry(world: World, id_: str, texts: dict[str, str]) -> str:
    body = json.loads(texts[id_])
    body["v"] = 1
    body["trigger"] = json.dumps(json.loads(body["trigger"]) | {"v": 1})
    return json.dumps(body)


def test_a_mixed_fleet_passes_a_trigger_by_and_catches_up_when_the_earlier_release_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later release polls, the earlier one matches: the trigger waits, and nothing is read over and over."""
    with later_release("entry"):
        renewed(world)
        world.declare(world.trigger(name="new"))
        world.poll()
        failed = world.fail_task()
        world.poll()
    renewed(world)
    world.settle()
    assert not world.history("granted")
    monkeypatch.setattr(unread_triggers, "QUIET_MS", 60_000)
    with later_release("entry"):
        renewed(world)
        assert world.poll().events == 0, "the earlier release may still be at work"
        monkeypatch.setattr(unread_triggers, "QUIET_MS", 0)
        assert world.poll().events > 0
        world.settle()
        assert [entry.object for entry in world.history("launched")] == [failed]
        world.step()
        assert not world.ledger.unread_triggers.notes()
    assert set(world.runs().values()) == {1}


def test_a_note_that_was_renewed_while_a_poll_read_is_kept(world: World) -> None:
    notes = world.ledger.unread_triggers
    notes.note({"task:t": "why"}, 5000)
    read = notes.notes()
    notes.note({"task:t": "another reason"}, 7000)
    notes.done(read)
    assert notes.notes()["task:t"].from_ms == 5000, "the earliest time is kept"
    notes.done(notes.notes())
    assert notes.notes() == {}


def test_an_event_of_a_later_release_alone_holds_its_batch_back(world: World) -> None:
    world.declare(world.trigger())
    world.poll()
    failed = world.fail_task()
    with later_release("event"):
        world.poll()
    world.settle()
    world.reconcile()
    assert not world.history("granted")
    assert "wait for another matcher" in alarms(world)
    with later_release("event"):
        world.reconcile()
        assert [entry.object for entry in world.history("launched")] == [failed]


def test_a_scheduler_of_a_later_release_is_left_alone_and_the_others_are_served(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in world.sandbox.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    from triggers.base.settings import settings

    settings.cache_clear()
    from workers.app import app
    from workers.runtime import Runtime

    client = world.ledger.store.client
    mine = Scheduler(world.sandbox.url, identity(world.api), "p", "mine", 5.0)
    schedulers.put(client, mine)
    with later_release("scheduler"):
        schedulers.put(client, Scheduler(world.sandbox.url, identity(world.api), "p", "later", 5.0))
    client.hset(shared("schedulers"), "garbage", "{")
    runtime = Runtime(app, settings())
    assert set(runtime.schedulers()) == {mine.id} == set(runtime.schedulers())
    assert [record.levelname for record in caplog.records].count("WARNING") == 2, "each is said once"
    assert runtime.run("garbage", lambda ctx: "ran") is None
    assert runtime.run("no such scheduler", lambda ctx: "ran") is None
    assert not client.keys("triggers:{no such scheduler}*"), "a hint makes no keys"
    assert runtime.run(mine.id, lambda ctx: 1 / 0) is None
    assert runtime.run(mine.id, lambda ctx: "ran") == "ran", "what breaks off keeps nobody waiting"
    with later_release("scheduler"):
        assert len(runtime.schedulers()) == 2
    runtime.client.close()
    assert runtime.identity.api
    runtime.identity.api.close()
    settings.cache_clear()


def test_an_earlier_release_does_not_start_from_nothing_beside_a_later_ones_state(world: World) -> None:
    with later_release("state"):
        text = Saved(5, 4).to_json()
    record = Scheduler(world.sandbox.url, "company", "P", "service task", 1.0, world.service)
    service.adopt(world.api, world.service, record.id)
    service.write_runtime(world.api, world.service, {PROPERTY: text})
    with pytest.raises(Newer, match="run the release that wrote it"):
        look(world.api, record, [], world.settings, None)
    with later_release("state"):
        look(world.api, record, [], world.settings, None)


def test_what_an_earlier_release_wrote_is_read(world: World) -> None:
    """Before firings, entries and schedulers had a version."""
    world.declare(world.trigger())
    client, keys = world.ledger.store.client, world.ledger.keys
    entry = json.loads(client.hget(keys.registry, "task:on failure"))
    del entry["v"]
    client.hset(keys.registry, "task:on failure", json.dumps(entry))
    renewed(world)
    world.poll()
    failed = world.fail_task()
    world.poll()
    while world.hints.partitions:
        match(world.ctx, world.hints.partitions.pop())
    for key in client.zrange(keys.due("dispatch"), 0, -1):
        client.hdel(keys.firing(key), "v")
    world.settle()
    assert [e.object for e in world.history("launched")] == [failed]
