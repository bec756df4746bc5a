"""A launch cut off at every call to Redis and to ClearML, before and after it, in every kind of launch.

The points are found by watching a launch: a new script or call is covered without being listed. The processes
of `tests/crash` die for real; here thousands of interleavings are cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.hidden_writes import HiddenWrites
from tests.integration.stages.conftest import World
from tests.one_by_one import run_together
from triggers.base.errors import Refused, ServerUnavailable
from triggers.clearml_api import launches
from triggers.model import Trigger
from triggers.model.launch_request import LaunchRequest
from triggers.model.launch_tags import FIRING, value_of

KINDS: dict[str, Callable[[World], Trigger]] = {
    "clone": lambda world: world.trigger(),
    "clone and edit": lambda world: world.trigger(action={"overrides": {"script.branch": "main"}}),
    "single instance": lambda world: world.trigger(policy={"single_instance": True}),
    "reuse": lambda world: world.trigger(action={"reuse_task": True}),
    "query and project": lambda world: world.trigger(
        action={"query": {"name": "base task"}, "target_project": "made by a launch"}
    ),
}


class Killed(BaseException):
    """The process ended here."""


@contextmanager
def edges(world: World, at: Callable[[int, str, str], None]) -> Iterator[None]:
    """Call `at(number, name, "before" or "after")` around every script and every ClearML call."""
    store, api, number = world.ledger.store, world.api, 0

    def wrap(call: Callable[..., Any], name_of: Callable[..., str]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal number
            number += 1
            mine, name = number, name_of(*args)
            at(mine, name, "before")
            answer = call(*args, **kwargs)
            at(mine, name, "after")
            return answer

        return wrapped

    store.run = wrap(type(store).run.__get__(store), lambda script, *_: script.name)  # type: ignore[method-assign]
    store.run_together = run_together.__get__(store)  # type: ignore[method-assign]
    api.call = wrap(type(api).call.__get__(api), lambda endpoint, *_: endpoint)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del store.run, store.run_together, api.call


def release_leases(world: World) -> None:
    """What time does after a process died: its leases expire."""
    client = world.ledger.store.client
    for key in client.scan_iter(world.ledger.keys.lease("*")):
        client.delete(key)
    world.expire_leases()


def carry_on(world: World) -> None:
    """What the other processes do after one died."""
    world.lose_hints()
    for _ in range(6):
        release_leases(world)
        world.calls_are_over()
        ctx = world.context()
        world.poll(ctx)
        world.settle(ctx)
        world.reconcile()


def launches_of(world: World, kind: str) -> int:
    if kind == "reuse":
        return world.queue_entries().count(world.base)
    runs = world.runs()
    assert len(runs) <= 1
    return sum(runs.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_launch_cut_off_anywhere_happens_exactly_once(world: World, kind: str) -> None:
    points = 0
    while True:
        world.sandbox.control.reset()
        world.ledger.store.client.flushall()
        world = World(world.sandbox, world.ledger, world.settings)
        world.declare(KINDS[kind](world))
        world.fail_task()
        reached: list[str] = []

        def die(number: int, name: str, when: str, target: int = points, reached: list[str] = reached) -> None:
            if (number - 1) * 2 + (when == "after") == target:
                reached.append(f"{when} {name}")
                raise Killed(name)

        with edges(world, die), suppress(Killed):
            world.step()
        carry_on(world)
        assert launches_of(world, kind) == 1, f"cut off {reached}"
        drafts = [t["id"] for t in world.clones() if t["status"] == "created"]
        assert drafts == [], f"cut off {reached}: drafts are left"
        if not reached:
            break
        points += 1
    assert points >= 20, "the launch has at least ten calls"


@pytest.mark.sandbox_control
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("endpoint", ["tasks.clone", "tasks.edit", "tasks.enqueue", "tasks.delete", "tasks.get_all"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_reply_of_any_call_leads_to_exactly_one_launch(
    world: World, kind: str, endpoint: str, when: str
) -> None:
    world.declare(KINDS[kind](world))
    world.fail_task()
    world.poll()
    world.sandbox.control.fault("drop", endpoint, when=when, times=1)
    if endpoint == "tasks.delete":  # only reached when a clone has to be withdrawn
        world.sandbox.control.fault("drop", "tasks.enqueue", when="before", times=1)
    world.settle()
    carry_on(world)
    assert launches_of(world, kind) == 1


def lose_the_enqueue(world: World, *, visible_after_seconds: float = 0.0) -> str:
    """A clone is recorded and never enqueued; the firing's record in Redis."""
    world.declare(world.trigger())
    world.fail_task()
    world.poll()
    world.sandbox.control.late(visible_after_seconds)
    world.sandbox.control.fault("drop", "tasks.enqueue", when="before", times=1)
    world.settle()
    world.sandbox.control.late(0.0)
    (key,) = world.ledger.store.client.scan_iter(world.ledger.keys.firing("*"))
    return str(key)


@pytest.mark.sandbox_control
def test_a_clone_that_is_not_visible_yet_is_not_taken_for_a_launch_that_somebody_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = HiddenWrites(monkeypatch)
    lose_the_enqueue(world, visible_after_seconds=1.0)
    assert not world.clones(), "it is not visible"
    release_leases(world)
    world.settle()
    hidden.show(1.0)
    assert world.clones(), "it is visible"
    carry_on(world)
    assert launches_of(world, "clone") == 1


@pytest.mark.sandbox_control
def test_a_recorded_clone_that_is_gone_for_long_counts_as_launched(world: World) -> None:
    firing = lose_the_enqueue(world)
    (clone,) = world.clones()
    world.call("tasks.delete", task=clone["id"])
    world.ledger.store.client.hdel(firing, "withdrawing", "withdrawn_ms")
    carry_on(world)
    assert not world.history("launched"), "it may only not be visible yet"
    world.ledger.store.client.hset(firing, "recorded_ms", 0)
    carry_on(world)
    (launched,) = world.history("launched")
    assert (launched.task, launched.reason) == (clone["id"], "the launched ClearML task was deleted by someone")


@pytest.mark.sandbox_control
@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_fails_for_a_while_loses_nothing_and_is_not_stormed(world: World, status: int) -> None:
    world.declare(world.trigger())
    for _ in range(5):
        world.fail_task()
    world.poll()
    fault = world.sandbox.control.fault("error", "*", status=status)
    world.settle()
    with pytest.raises(ServerUnavailable):
        world.poll()
    asked = sum(world.sandbox.control.counts().values())
    for _ in range(3):
        world.reconcile()
    assert sum(world.sandbox.control.counts().values()) == asked, "nothing is due, so nothing is asked"
    world.sandbox.control.clear_faults(fault)
    carry_on(world)
    assert sorted(world.runs().values()) == [1] * 5


def test_a_copy_of_a_launch_made_by_a_person_is_never_touched_nor_taken_for_one(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    (launched,) = world.clones()
    copy = world.call("tasks.clone", task=launched["id"])["id"]
    (firing,) = [world.ledger.firings.get(entry.firing) for entry in world.history("launched")]
    assert firing is not None
    world.ledger.store.client.zadd(world.ledger.keys.strays, {firing.key: 0})
    carry_on(world)
    assert {t["id"]: t["status"] for t in world.clones()} == {launched["id"]: "queued", copy: "created"}


@pytest.mark.sandbox_control
def test_a_draft_of_a_dead_attempt_is_cleared_away_after_the_launch(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.poll()
    world.sandbox.control.fault("drop", "tasks.clone", when="after", times=1)
    world.settle()
    (draft,) = world.clones()
    assert draft["status"] == "created"
    carry_on(world)
    (launched,) = world.clones()
    assert launched["id"] != draft["id"], "a found draft is never enqueued"


@pytest.mark.parametrize("failure", [ServerUnavailable("no answer"), Refused("tasks.clone", 400, 0, "no")])
def test_a_failing_attempt_that_was_overtaken_keeps_no_other_of_its_batch_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """It may not even write down that it failed."""
    world.declare(world.trigger())
    world.step()
    for _ in range(3):
        world.fail_task()
    world.poll()
    clone, taken = launches.clone, []

    def overtaken(api: Any, request: LaunchRequest) -> str:
        if taken:
            return clone(api, request)
        taken.append(value_of(FIRING, request.clone["new_task_system_tags"]))
        world.ledger.store.client.hset(world.ledger.keys.firing(taken[0]), "lease", "of another")
        raise failure

    monkeypatch.setattr(launches, "clone", overtaken)
    world.settle()
    assert len(world.runs()) == 2
    assert taken[0] not in world.runs()


def test_a_launch_after_a_withdrawal_that_redis_remembers_and_the_launch_not_is_found(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    (launched,) = world.clones()
    ledger = world.ledger
    (key,) = {entry.firing for entry in world.history("launched")}
    firing, gone = ledger.keys.firing(key), "0" * 32
    # Redis comes back as it was when an earlier draft was about to be withdrawn
    fields = {"state": "waiting", "task": gone, "withdrawing": gone, "withdrawn_ms": 1, "attempts": "1-first-00000000"}
    ledger.store.client.hset(firing, mapping=fields)
    ledger.store.client.persist(firing)
    ledger.store.client.hdel(ledger.keys.launched, launched["id"])
    ledger.store.client.zadd(ledger.keys.due("dispatch"), {key: 0})
    world.reconcile()
    assert list(world.runs().values()) == [1], "not launched a second time"
    assert [clone["id"] for clone in world.clones()] == [launched["id"]]
    assert world.history("launched")[-1].reason == "found by its key"
