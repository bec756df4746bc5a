"""Real actions of one firing beside its launch, each under an id of its own; and what a trial looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.actions.conftest import allowing, declare
from tests.integration.actions.receiver import Receiver
from tests.integration.stages.conftest import World
from triggers.actions import Notify, Tag, Webhook
from triggers.context import Context
from triggers.ledger.firings.firing import firing_key
from triggers.operate import sending
from triggers.stages.act import act


@dataclass
class Target:
    """As much of a verb's target as trying an action needs."""

    ledger: Any
    api: Any


def acted(world: World, context: Context) -> None:
    world.step(context)
    world.settle(context)


def test_a_launch_with_actions_on_it_and_on_the_object(world: World, receiver: Receiver) -> None:
    base = {"type": "task", "base_task_id": world.base, "queue": "default"}
    told = Webhook(receiver.url, body={"launched": "${launched.id}", "object": "${object.id}"})
    world.declare(world.trigger(name="t", action=base, actions=[told, Tag(["seen"]), Tag(["ours"], on="launched")]))
    failed = world.fail_task()
    acted(world, allowing(world))
    (launched,) = world.clones()
    (received,) = receiver.received
    assert received.json == {"launched": launched["id"], "object": failed}
    assert received.id == firing_key(world.ledger.scheduler, "task:t", failed, 1) + "-1"
    found = world.call("tasks.get_all", id=[failed, launched["id"]], only_fields=["id", "tags"])["tasks"]
    tags = {task["id"]: task["tags"] for task in found}
    assert "seen" in tags[failed]
    assert "ours" in tags[launched["id"]]
    assert len(world.history("acted")) == 3


def test_an_incident_is_opened_and_closed(world: World, receiver: Receiver) -> None:
    opened, closed = (Webhook(f"{receiver.url}/{path}") for path in ("open", "close"))
    named = Webhook(f"{receiver.url}/named", body={"dedup_key": "${firing.key}"})
    policy = {"fire": "on_transition"}
    declare(world, opened, trigger_on_status=["failed"], policy=policy, actions=[named], on_resolved=[closed, named])
    id_ = world.fail_task()
    acted(world, allowing(world))
    world.call("tasks.reset", task=id_)
    acted(world, allowing(world))
    first, second = (one for one in receiver.received if one.path != "/named")
    assert (first.path, second.path) == ("/open", "/close")
    assert second.id == f"{first.id}-r0"
    assert first.json["data"]["firing"] == second.json["data"]["firing"] == first.id
    assert [one.json["dedup_key"] for one in receiver.received if one.path == "/named"] == [first.id] * 2


def test_what_is_tried_says_so(world: World, receiver: Receiver) -> None:
    notify = Notify(f"json://127.0.0.1:{receiver.server_port}/notify", text="failed", title="a run")
    declare(world, Webhook(f"{receiver.url}/hook"), trigger_on_status=["failed"], actions=[notify])
    entry = world.ledger.registry.snapshot().entries["task:t"]
    target: Any = Target(world.ledger, world.api)
    trials, _ = sending.send(target, entry, world.create_task())
    act(allowing(world))
    received = {one.path: one for one in receiver.received}
    assert received["/hook"].headers["webhook-trial"] == "true"
    assert received["/hook"].id == trials[0].key
    assert received["/notify"].json["title"] == "[trial] a run"
    assert {one.state for one in sending.outcomes(target, trials, 1).values()} == {"launched"}
    assert world.history("granted") == []


@pytest.mark.parametrize("fire", ["once", "while_true"])
def test_what_is_tried_fires_nothing_by_its_edit_and_hides_nobody_elses(world: World, fire: str) -> None:
    """The object satisfies the condition already: any other edit would fire."""
    world.declare(world.trigger(name="other"))
    failed = world.fail_task()
    world.step()
    world.tick()
    world.declare(world.trigger(name="t", policy={"fire": fire}, actions=[Tag(["seen"])]))
    acted(world, allowing(world))
    before = len(world.history("granted"))
    target: Any = Target(world.ledger, world.api)
    entry = world.ledger.registry.snapshot().entries["task:t"]
    trials, _ = sending.send(target, entry, failed)
    act(allowing(world))
    assert {one.state for one in sending.outcomes(target, trials, 1).values()} == {"launched"}
    acted(world, allowing(world))
    assert len(world.history("granted")) == before
    world.call("tasks.edit", task=failed, comment="a person's", force=True)
    acted(world, allowing(world))
    assert len(world.history("granted")) == before + 1


def test_a_trial_waits_until_polls_have_read_what_changed_before_it(world: World) -> None:
    """What a person has changed a moment ago fires, whatever is tried on the object meanwhile."""
    world.declare(world.trigger(name="t", policy={"fire": "while_true"}, actions=[Tag(["seen"])]))
    acted(world, allowing(world))
    target: Any = Target(world.ledger, world.api)
    entry = world.ledger.registry.snapshot().entries["task:t"]
    failed = world.fail_task()
    trials, _ = sending.send(target, entry, failed)
    act(allowing(world))
    assert sending.outcomes(target, trials, 0) == {}, "it waits for the poll"
    acted(world, allowing(world))
    assert len(world.history("granted")) == 1
    world.expire_leases()
    act(allowing(world))
    assert {one.state for one in sending.outcomes(target, trials, 1).values()} == {"launched"}
    acted(world, allowing(world))
    assert len(world.history("granted")) == 1
