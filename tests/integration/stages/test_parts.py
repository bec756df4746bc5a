"""Several actions of one firing: each is a firing of its own, granted once, apart from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.toy_action import Receivers, known
from triggers.ledger.firings.firing import firing_key
from triggers.model import Trigger, make_trigger
from triggers.stages.act import act
from triggers.stages.dispatch import dispatch


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with known() as receivers:
        yield receivers


def post(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "posting", "host": "receiver", "text": text, **fields}


def key_of(world: World, trigger: Trigger, object_id: str, occurrence: int = 1) -> str:
    return firing_key(world.ledger.scheduler, trigger.id, object_id, occurrence)


def test_each_action_of_a_firing_is_carried_out_once_under_a_key_of_its_own(world: World, receivers: Receivers) -> None:
    trigger = world.trigger(actions=[post("one"), post("two"), post("three", host="")])
    world.declare(trigger)
    failed = world.fail_task()
    world.step()
    key = key_of(world, trigger, failed)
    assert sum(world.runs().values()) == 1
    assert {post.text: post.key for post in receivers.posts} == {
        "one": f"{key}-1",
        "two": f"{key}-2",
        "three": f"{key}-3",
    }
    assert len(receivers.posts) == 3
    assert [entry.what for entry in world.history() if "-" in entry.firing] == ["acted"] * 3
    assert len(world.history("granted")) == len(world.history("launched")) == 1
    assert world.ledger.due("act") == world.ledger.due("dispatch") == 0


def test_a_trigger_can_have_such_actions_alone(world: World, receivers: Receivers) -> None:
    fields: dict[str, Any] = {"action": post("first"), "actions": [post("second")]}
    trigger = make_trigger("task", name="tell", trigger_on_status=["failed"], **fields)
    world.declare(trigger)
    failed = world.fail_task()
    world.step()
    world.reconcile()
    key = key_of(world, trigger, failed)
    assert {post.text: post.key for post in receivers.posts} == {"first": key, "second": f"{key}-1"}


def test_a_failing_action_neither_stops_nor_repeats_another(world: World, receivers: Receivers) -> None:
    receivers.failing["broken"] = 100
    world.declare(world.trigger(actions=[post("broken", host="broken"), post("fine", host="other")]))
    world.fail_task()
    world.step()
    for _ in range(world.settings.max_attempts):
        world.expire_leases()
        act(world.ctx)
    assert receivers.texts("other") == ["fine"]
    assert sum(world.runs().values()) == 1
    (dead,) = world.ledger.operations.dead()
    assert dead.part == "1"
    assert "broken answers 500" in dead.reason
    assert len(receivers.texts("broken")) == world.settings.max_attempts
    receivers.failing.clear()
    assert world.ledger.operations.retry_dead(dead.key)
    act(world.ctx)
    assert len(set(receivers.keys())) == 2
    assert world.ledger.operations.dead() == []
    assert receivers.texts("other") == ["fine"]


def test_an_action_that_waits_for_the_launch_gets_its_id(world: World, receivers: Receivers) -> None:
    trigger = world.trigger(actions=[post("later", on="launched"), post("now")])
    world.declare(trigger)
    world.fail_task()
    world.poll()
    world.match()
    act(world.ctx)
    assert receivers.posts == [], "nothing is granted before the firing may be launched"
    world.settle()
    (launched,) = world.clones()
    assert sorted(receivers.texts()) == ["later", "now"]
    assert {post.text: post.launched for post in receivers.posts} == {"later": launched["id"], "now": ""}


def test_actions_go_on_where_the_launch_cannot_succeed_but_for_those_that_wait_for_it(
    world: World, receivers: Receivers
) -> None:
    world.declare(
        world.trigger(
            action={"base_task_id": "0" * 32},
            actions=[post("later", on="launched"), post("now")],
            on_failed=[post("alarm"), post("alarm too")],
        )
    )
    world.fail_task()
    world.step()
    world.reconcile()
    (dead,) = world.ledger.operations.dead()
    assert dead.part == ""
    assert sorted(receivers.texts()) == ["alarm", "alarm too", "now"]
    assert {post.key for post in receivers.posts} == {f"{dead.key}-{part}" for part in ("2", "f0", "f1")}


def test_on_failed_runs_once_for_a_firing_also_for_its_parts(world: World, receivers: Receivers) -> None:
    receivers.failing["broken"] = 100
    broken = [post(text, host="broken") for text in ("a", "b")]
    world.declare(world.trigger(actions=broken, on_failed=[post("alarm", host="other")]))
    world.fail_task()
    world.step()
    for _ in range(world.settings.max_attempts):
        world.expire_leases()
        act(world.ctx)
    act(world.ctx)
    assert len(world.ledger.operations.dead()) == 2
    assert receivers.texts("other") == ["alarm"]


def test_a_skipped_firing_s_actions_are_skipped_with_it(world: World, receivers: Receivers) -> None:
    world.declare(world.trigger(policy={"single_instance": True}, actions=[post("told")]))
    world.fail_task()
    world.step()
    world.fail_task()
    world.step()
    assert len(world.history("skipped")) == 1
    assert receivers.texts() == ["told"]


def test_a_held_firing_s_actions_wait_with_it(world: World, receivers: Receivers) -> None:
    world.declare(world.trigger(policy={"max_per_minute": 1}, actions=[post("told")]))
    world.fail_task()
    world.fail_task()
    world.step()
    world.reconcile()
    assert receivers.texts() == ["told"]
    (hold,) = world.ledger.firings.holds()
    (held,) = world.ledger.operations.held(hold)
    world.ledger.by_hand.release_now(hold, [held.key], "me")
    dispatch(world.ctx)
    act(world.ctx)
    assert receivers.texts() == ["told", "told"]


def fail_again(world: World, id_: str) -> None:
    world.call("tasks.reset", task=id_)
    world.call("tasks.started", task=id_)
    world.call("tasks.failed", task=id_)


def test_what_resolves_is_done_when_the_condition_is_false_again_once_for_each_firing(
    world: World, receivers: Receivers
) -> None:
    trigger = world.trigger(
        policy={"fire": "on_transition"}, actions=[post("open")], on_resolved=[post("close"), post("close too")]
    )
    world.declare(trigger)
    id_ = world.fail_task()
    world.step()
    assert receivers.texts() == ["open"]
    for occurrence in (1, 2):
        world.call("tasks.reset", task=id_)
        world.step()
        world.step()
        world.reconcile()
        key = key_of(world, trigger, id_, occurrence)
        assert sorted(receivers.texts()) == sorted(["open", "close", "close too"] * occurrence)
        assert {f"{key}-r0", f"{key}-r1"} <= set(receivers.keys())
        if occurrence == 1:
            world.tick()
            fail_again(world, id_)
            world.step()
    assert len(set(receivers.keys())) == len(receivers.posts) == 6
    assert len(world.history("resolved")) == 2


def test_what_resolves_waits_until_the_alert_was_sent(world: World, receivers: Receivers) -> None:
    receivers.failing["receiver"] = 1
    world.declare(
        world.trigger(policy={"fire": "on_transition"}, actions=[post("open")], on_resolved=[post("close", host="x")])
    )
    id_ = world.fail_task()
    world.step()
    world.call("tasks.reset", task=id_)
    world.step()
    assert receivers.texts() == ["open"]
    world.expire_leases()
    act(world.ctx)
    world.expire_leases()
    act(world.ctx)
    assert receivers.texts() == ["open", "open", "close"]


def test_nothing_is_resolved_where_the_firing_was_skipped(world: World, receivers: Receivers) -> None:
    trigger = world.trigger(policy={"fire": "on_transition"}, actions=[post("open")], on_resolved=[post("close")])
    world.declare(trigger)
    world.pause(trigger)
    id_ = world.fail_task()
    world.step()
    world.ledger.by_hand.skip_waiting(trigger.id, "by hand")
    world.call("tasks.reset", task=id_)
    world.step()
    world.pause(trigger, False)
    world.reconcile()
    assert receivers.posts == []


def test_an_edited_trigger_s_parts_find_their_action_or_are_skipped(world: World, receivers: Receivers) -> None:
    before = world.trigger(actions=[post("one"), post("two"), post("three")])
    world.declare(before)
    world.fail_task()
    world.poll()
    world.match()
    dispatch(world.ctx)
    world.declare(world.trigger(actions=[post("new"), post("one, edited"), post("two")]))
    act(world.ctx)
    # one: the action in its place, which is of its type; two: where it stands now; three: in its place there is "two"
    assert sorted(receivers.texts()) == ["new", "two", "two"]


def test_a_retired_trigger_s_parts_are_skipped(world: World, receivers: Receivers) -> None:
    world.declare(world.trigger(actions=[post("one")]))
    world.fail_task()
    world.poll()
    world.match()
    dispatch(world.ctx)
    world.declare()
    act(world.ctx)
    assert receivers.posts == []
    assert [(entry.what, entry.reason) for entry in world.history() if "-" in entry.firing] == [
        ("skipped", "the trigger is no longer declared")
    ]


def test_a_trigger_without_such_actions_pays_nothing(world: World, receivers: Receivers) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.poll()
    world.match()
    (key,) = world.ledger.store.client.zrange(world.ledger.keys.due("dispatch"), 0, -1)
    fields = world.ledger.store.client.hgetall(world.ledger.keys.firing(key))
    assert not {"parts", "action", "launched"} & fields.keys()
    world.settle()
    assert world.hints.acts == 0
    assert [key for key in world.ledger.store.client.scan_iter() if ":act" in key or "receiver" in key] == []


def commands_of(world: World, flow: Callable[[], None]) -> list[str]:
    """Every command that Redis carries out meanwhile, those of scripts included."""
    with world.ledger.store.client.monitor() as monitor:
        flow()
        world.ledger.store.client.echo("that was all")
        commands: list[str] = []
        while "that was all" not in (commands or [""])[-1]:
            commands.append(str(monitor.next_command()["command"]))
    return [each for each in commands[:-1] if not each.startswith(("EVALSHA", "EVAL", "SCRIPT"))]


def launch(world: World) -> None:
    world.fail_task()
    world.poll()
    world.settle()


def test_a_launch_costs_no_command_for_actions_that_its_trigger_does_not_have(
    world: World, receivers: Receivers
) -> None:
    """But for one look, in claim and finish, at a field of the record that they have to look at anyway."""
    world.declare(world.trigger())
    launch(world)
    plain = commands_of(world, lambda: launch(world))
    keys = world.ledger.keys
    of_actions = [keys.due("act"), keys.edits, keys.edit_times, keys.holds, keys.lease("receiver:")]
    assert [each for each in plain if any(name in each for name in of_actions)] == []
    assert [each.split()[0] for each in plain if each.endswith(" parts")] == ["HMGET", "HGET"]
    world.declare(world.trigger(actions=[post("told")]))
    launch(world)
    told = commands_of(world, lambda: launch(world))
    assert any(keys.due("act") in each for each in told), "what is looked for is what actions use"
    assert len(told) > len(plain) + 10
    assert len(receivers.posts) == 2
