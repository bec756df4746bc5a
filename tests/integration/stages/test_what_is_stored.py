"""What a poll stores: what some trigger may fire for or has to see as false, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.integration.stages.many import others, polled
from triggers.clearml_api import server_now_ms
from triggers.ledger.firings.firing import firing_key
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.launch_tags import LaunchTags
from triggers.rules.conditions import Condition
from triggers.stages.concern import concerning
from triggers.stages.match import match


def stored(world: World) -> int:
    """How many batches were ever stored."""
    return len(list(world.ledger.events().backwards()))


def is_seen(world: World, object_id: str) -> bool:
    return world.ledger.reading.seen_ms("tasks", object_id) is not None


# ---- what concerns nobody ----
@pytest.mark.parametrize(
    "condition",
    [
        {"trigger_on_status": ["completed"]},
        {"trigger_project": "elsewhere"},
        {"trigger_on_tags": ["a", "b"]},
        {"trigger_on_user": ["nobody"]},
        {"trigger_name": "^another$"},
        {"trigger_on_archive": True},
        {"trigger_on_status": ["failed"], "trigger_exclude_tags": ["a"]},
        {"trigger_on_metric": "m", "trigger_on_variant": "v", "trigger_on_threshold": 1.0},
        {"trigger_on_publish": True, "kind": "model"},
        {"kind": "dataset"},
    ],
)
def test_a_change_that_concerns_nobody_costs_no_batch_and_no_hint(world: World, condition: dict[str, Any]) -> None:
    world.declare(world.trigger(condition.pop("kind", "task"), **condition), world.trigger("model", "m"))
    task = world.fail_task(tags=["a"])
    for _ in range(3):
        assert world.poll().events == 0
        assert world.hints.partitions == []
    assert world.ledger.reading.waiting_partitions() == []
    assert stored(world) == 0
    assert is_seen(world, task) == (condition.get("trigger_on_publish") is None)


@pytest.mark.parametrize("fires", ["first", "second"])
def test_one_of_several_triggers_that_may_be_concerned_is_enough(world: World, fires: str) -> None:
    """The index leads to both."""
    excluded = {name: "b" if name != fires else "c" for name in ("first", "second")}
    world.declare(
        *(world.trigger(name=n, trigger_on_tags=["a"], trigger_exclude_tags=[tag]) for n, tag in excluded.items())
    )
    world.create_task(tags=["a", "b"])
    world.poll()
    world.match()
    assert [entry.trigger for entry in world.history("granted")] == [f"task:{fires}"]


def test_a_name_is_searched_by_match_alone(world: World) -> None:
    """An expression may take long, and is cut off then."""
    world.declare(world.trigger(trigger_name="^another"))
    world.fail_task()
    assert world.poll().events >= 1


# ---- schedulers beside each other ----
@pytest.mark.parametrize("number", [2, 12])
def test_schedulers_at_rest_store_nothing_of_each_other(world: World, number: int) -> None:
    contexts = others(world, number)
    for ctx in contexts:
        polled(ctx)
    events = 0
    for _ in range(3):
        world.tick()
        for ctx in contexts:  # each renews its service task, which is a change of it
            world.call("tasks.edit", task=ctx.service_task, comment=f"{world.ledger.now_ms()}", force=True)
        events += sum(map(polled, contexts))
    assert events == 0
    assert world.hints.partitions == []
    assert [list(ctx.ledger.events().backwards()) for ctx in contexts] == [[]] * number


def launched_by(scheduler: str, trigger: str, object_id: str) -> list[str]:
    return LaunchTags.of(scheduler, firing_key(scheduler, trigger, object_id, 1), "nonce").tags()


def test_launches_of_another_scheduler_count_as_any_task_does(world: World) -> None:
    """A chain from one scheduler to the other goes on; a launch that satisfies nothing is not stored."""
    world.declare(world.trigger(trigger_on_status=["failed"]))
    world.poll()
    world.tick()
    tags = launched_by("another", "task:on failure", "o" * 32)
    chained = world.create_task("launch", system_tags=tags)
    assert world.poll().events == 0
    world.call("tasks.started", task=chained)
    assert world.poll().events == 0
    world.call("tasks.failed", task=chained)
    world.step()
    assert [entry.object for entry in world.history("granted")] == [chained]


def test_an_own_launch_fires_no_trigger_of_its_own_and_those_beside_it(world: World) -> None:
    """The scheduler's launches are dropped like anything else: only where no trigger of it may fire for them."""
    first = world.trigger(name="first", trigger_on_status=["failed"], trigger_exclude_tags=["x"])
    world.declare(first, world.trigger(name="second", trigger_on_status=["queued"]))
    world.fail_task()
    world.step()
    (launch,) = world.clones()
    assert world.poll().events == 1, "queued, it concerns the second"
    world.settle()
    granted = {(entry.trigger, entry.object) for entry in world.history("granted")}
    assert ("task:second", launch["id"]) in granted
    assert ("task:first", launch["id"]) not in granted


# ---- what has to be seen becoming false ----
def turning(world: World) -> Trigger:
    return world.trigger(trigger_on_tags=["hot"], policy={"fire": "on_transition"})


def tagged(world: World, task: str, *tags: str) -> None:
    world.tick()
    world.call("tasks.update", task=task, tags=list(tags))


def fires_again(world: World, task: str) -> None:
    """The condition became true, false and true: that is two firings, whatever was matched when."""
    tagged(world, task, "hot")
    world.poll()
    world.settle()
    assert [entry.object for entry in world.history("granted")] == [task, task]
    assert [entry.what for entry in world.history("launched")] == ["launched"] * 2


def test_a_condition_is_seen_to_become_false(world: World) -> None:
    world.declare(turning(world))
    task = world.create_task(tags=["hot"])
    world.step()
    tagged(world, task)
    assert world.poll().events == 1
    world.match()
    tagged(world, task, "cold")
    assert world.poll().events == 0, "that it is false was seen"
    fires_again(world, task)


@pytest.mark.parametrize("skipped", ["by a person", "by a slot"])
def test_what_a_skip_left_is_not_stored_and_the_object_fires_again(world: World, skipped: str) -> None:
    """A skip gives the key back, and the condition counts as seen false: no change has to show that."""
    slot = {"single_instance": True} if skipped == "by a slot" else {}
    trigger = world.trigger(trigger_on_tags=["hot"], policy={"fire": "on_transition", **slot})
    world.declare(trigger)
    world.poll()
    if slot:
        world.create_task(tags=["hot"])
        world.step()
    task = world.create_task(tags=["hot"])
    world.poll()
    world.match()
    assert world.ledger.armed.of([task]) == {task: {trigger.id}}
    world.settle() if slot else world.ledger.by_hand.skip_waiting(trigger.id, "not wanted")
    assert [entry.object for entry in world.history("skipped")] == [task]
    assert world.ledger.armed.of([task]) == {}
    for tag in ("cold", "colder"):
        world.tick()
        tagged(world, task, tag)
        assert world.poll().events == 0
    before = len(world.history("granted"))
    world.tick()
    tagged(world, task, "hot")
    world.poll()
    world.match()
    assert len(world.history("granted")) == before + 1


def test_it_is_seen_before_what_armed_it_is_matched(world: World) -> None:
    world.declare(turning(world))
    task = world.create_task(tags=["hot"])
    world.poll()
    tagged(world, task)
    world.poll()
    world.settle()
    fires_again(world, task)


def test_it_is_seen_while_what_armed_it_is_undecided(world: World) -> None:
    trigger = turning(world)
    world.declare(trigger)
    world.poll()
    key = firing_key(world.ledger.scheduler, trigger.id, "o" * 32, 1)
    world.ledger.store.client.hset(world.ledger.keys.firing(key), mapping={"state": "waiting", "key": key})
    tags = LaunchTags.of(world.ledger.scheduler, key, "nonce").tags()
    task = world.create_task(tags=["hot"], system_tags=tags)
    world.poll()
    world.match()
    assert world.ledger.undecided.partitions() != []
    tagged(world, task)
    assert world.poll().events == 1


def test_it_is_seen_for_a_trigger_that_was_edited_to_transitions(world: World) -> None:
    world.declare(world.trigger(trigger_on_tags=["hot"]))
    task = world.create_task(tags=["hot"])
    world.step()
    world.declare(turning(world))
    tagged(world, task)
    world.poll()
    world.settle()
    fires_again(world, task)


def test_it_is_seen_where_the_object_is_twice_in_a_page(world: World) -> None:
    world.declare(turning(world))
    hot, cold = (Event("task", "o" * 32, ms, tags=tags) for ms, tags in ((1, ("hot",)), (2, ())))
    assert concerning(world.ctx, [hot, cold]) == [hot, cold]
    assert concerning(world.ctx, [cold]) == []


# ---- triggers that come, or are edited, meanwhile ----
def while_the_server_answers(world: World, monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let something happen before the server answers the next list of ClearML tasks."""
    real, left = world.api.call, [happens]

    def call(endpoint: str, body: Any, *args: Any, **kwargs: Any) -> Any:
        if endpoint == "tasks.get_all_ex" and left:
            before = left.pop()
            before()
        return real(endpoint, body, *args, **kwargs)

    monkeypatch.setattr(world.api, "call", call)


def test_a_change_after_an_edit_is_judged_by_the_edit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The poll began before the edit; the change was made after it, and read."""
    world.declare(world.trigger(trigger_on_status=["completed"]))
    world.fail_task()
    world.poll()  # the process has the triggers as they were

    def edited() -> None:
        world.declare(world.trigger(trigger_on_status=["failed"]))
        world.tick()
        world.fail_task()

    while_the_server_answers(world, monkeypatch, edited)
    world.step()
    assert len(world.history("granted")) == 1


def test_a_trigger_that_is_new_gets_what_was_left_out_before_it(world: World) -> None:
    """What counts for it begins before it was registered here, as after a move to another Redis."""
    world.declare(world.trigger())
    world.poll()
    since_ms = server_now_ms(world.api, world.service)
    world.tick()
    task = world.create_task(tags=["late"])
    assert world.poll().events == 0
    new = world.trigger(name="new", trigger_on_tags=["late"])
    world.tick()
    world.ledger.registry.declare(
        [world.trigger(), new],
        origin="script",
        server_now_ms=server_now_ms(world.api, world.service),
        since_ms={new.id: since_ms},
    )
    world.step()
    assert [(entry.trigger, entry.object) for entry in world.history("granted")] == [(new.id, task)]


def test_everything_is_stored_while_a_trigger_cannot_be_read(world: World) -> None:
    world.declare(world.trigger())
    world.poll()
    client, keys = world.ledger.store.client, world.ledger.keys
    client.hset(keys.registry, "task:of a later release", '{"v": 99}')
    client.incr(keys.registry_version)
    task = world.create_task()
    assert world.poll().events >= 1
    assert task in str(list(world.ledger.events().backwards()))


def test_a_trigger_that_cannot_be_evaluated_stores_what_it_might_fire_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> bool:
        raise RuntimeError("a fault of ours")

    world.declare(world.trigger())
    monkeypatch.setattr(Condition, "may_match", broken)
    world.fail_task()
    assert world.poll().events >= 1
    monkeypatch.undo()
    world.settle()
    assert len(world.history("granted")) == 1


def test_batches_that_an_earlier_release_stored_are_matched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stored everything."""
    world.declare(world.trigger())
    with monkeypatch.context() as earlier:
        earlier.setattr("triggers.stages.storing.concerning", lambda _, events, __: list(events))
        world.create_task()
        failed = world.fail_task()
        assert world.poll().events >= 2
    assert world.poll().events == 0
    assert match(world.ctx) == 1
    assert [entry.object for entry in world.history("granted")] == [failed]
