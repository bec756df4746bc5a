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
from triggers import formats
from triggers.ledger import aside, open_ledger
from triggers.stages import set_aside
from triggers.stages.match import match

#: Kinds that stand in the ledger; what the launch of one change passes through.
KINDS = ("entry", "trigger", "batch", "event", "firing")


@contextmanager
def later_release(*kinds: str) -> Iterator[None]:
    """In the body, a release works that has raised the versions of these kinds."""
    before = dict(formats.KNOWN)
    formats.KNOWN.update({kind: before[kind] + 1 for kind in kinds})
    try:
        yield
    finally:
        formats.KNOWN.update(before)


def raised(kind: str) -> tuple[str, ...]:
    """The versions that a release raises together: what lies inside others cannot be raised alone."""
    return {"event": ("event", "batch", "firing"), "trigger": ("trigger", "firing")}.get(kind, (kind,))


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "QUIET_MS", 0)
    monkeypatch.setattr(set_aside, "PATIENCE_SECONDS", -1.0)


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
    assert "of version 2" in alarms(world) or "version 2" in alarms(world)
    assert world.ledger.store.client.hgetall(world.ledger.keys.registry) == texts, "untouched, byte for byte"
    with later_release(*raised(kind)):
        renewed(world)
        run_everything(world)
        assert [e.object for e in world.history("launched") if e.trigger == "task:new"] == [failed]
        run_everything(world)
        assert not [name for name in world.ledger.history.alarms() if name.startswith(set_aside.ALARM)]
    assert set(world.runs().values()) == {1}


def old_entry(world: World, id_: str, texts: dict[str, str]) -> str:
    body = json.loads(texts[id_])
    body["v"] = 1
    body["trigger"] = json.dumps(json.loads(body["trigger"]) | {"v": 1})
    return json.dumps(body)
