"""The lane of actions that are neither launches nor functions: receivers apart from each other, and from launches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.stages.conftest import World
from tests.toy_action import Receivers, known
from triggers.ledger.firings.turns import IN_FLIGHT
from triggers.model import Trigger, make_trigger
from triggers.stages.act import AT_ONCE, act
from triggers.stages.crew import Crew


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with known() as receivers:
        yield receivers


@pytest.fixture
def crew(receivers: Receivers) -> Iterator[Crew]:
    crew = Crew()
    yield crew
    for host in list(receivers.closed):
        receivers.open(host)
    assert crew.finish(20)


def posting(name: str, host: str, **fields: object) -> Trigger:
    action = {"type": "posting", "host": host, "text": name}
    return make_trigger("task", name=name, trigger_on_status=["failed"], action=action, **fields)


def test_an_action_is_carried_out_once_for_each_object(world: World, receivers: Receivers) -> None:
    world.declare(posting("tell", "a"))
    failed = {world.fail_task() for _ in range(25)}
    world.step()
    assert {post.object for post in receivers.posts} == failed
    assert len(set(receivers.keys())) == len(receivers.posts) == 25
    assert len(world.history("launched")) == 25
    assert receivers.most["a"] <= IN_FLIGHT
    assert world.ledger.due("act") == 0
    assert world.ledger.firings.holds() == []


def test_a_receiver_that_hangs_delays_no_launch_and_no_other_receiver(
    world: World, receivers: Receivers, crew: Crew
) -> None:
    receivers.closed = {"slow"}
    world.declare(posting("slow", "slow"), posting("quick", "quick"), world.trigger())
    for _ in range(3 * AT_ONCE):
        world.fail_task()
    world.poll()
    world.settle(crew=crew)  # returns although the slow one keeps its requests
    assert sum(world.runs().values()) == 3 * AT_ONCE
    receivers.until(lambda: len(receivers.texts("quick")) == 3 * AT_ONCE, "the other receiver has all")
    receivers.until(lambda: receivers.under_way["slow"] == IN_FLIGHT, "two are under way")
    act(world.ctx, crew)
    assert receivers.most["slow"] == IN_FLIGHT
    held = world.ledger.operations.held("receiver:slow")
    assert AT_ONCE <= len(held) < 3 * AT_ONCE
    assert held[0].reason == "waiting for its turn: 2 requests to slow are under way"
    receivers.open("slow")
    assert crew.wait(60)
    assert len(receivers.texts("slow")) == 3 * AT_ONCE
    assert receivers.most["slow"] == IN_FLIGHT


def test_two_workers_share_the_turns_at_a_receiver(world: World, receivers: Receivers, crew: Crew) -> None:
    receivers.closed = {"slow"}
    world.declare(posting("slow", "slow"))
    for _ in range(5):
        world.fail_task()
    other, others = world.context(batch_firings=1), Crew()
    world.poll()
    world.settle(crew=crew)
    receivers.until(lambda: receivers.under_way["slow"], "one is under way")
    for _ in range(2):
        world.fail_task()
    world.poll()
    world.settle(other, crew=others)
    receivers.until(lambda: receivers.under_way["slow"] == IN_FLIGHT, "two are under way")
    receivers.open("slow")
    assert crew.wait(60)
    assert others.wait(60)
    assert len(set(receivers.keys())) == 7 == len(receivers.posts)
    assert receivers.most["slow"] == IN_FLIGHT


def test_what_waits_for_a_worker_that_died_is_taken_by_another(world: World, receivers: Receivers) -> None:
    """A dead worker's turns and leases expire; what had lined up behind it is on no due list."""
    world.declare(posting("tell", "a"))
    for _ in range(3):
        world.fail_task()
    turns = world.ledger.turns
    dead = [turns.take("a", 0.001), turns.take("a", 0.001)]
    claimed = world.ledger.firings
    world.poll()
    world.match()
    world.ledger.turns.line_up("a", claimed.claim("act", 10, 10).firings)
    assert all(dead)
    assert world.ledger.due("act") == 0
    assert receivers.posts == []
    world.reconcile()
    assert len(receivers.posts) == 3


def test_a_crew_without_a_free_thread_keeps_nothing_from_the_next_round(world: World, receivers: Receivers) -> None:
    receivers.closed = {"slow"}
    world.declare(posting("slow", "slow"), posting("quick", "quick"))
    world.fail_task()
    with Crew(size=1) as crew:
        world.poll()
        world.settle(crew=crew)
        receivers.until(lambda: receivers.most, "the one thread is at work")
        receivers.open("slow")
    world.reconcile()
    assert sorted(receivers.texts()) == ["quick", "slow"]


def test_a_failing_receiver_is_tried_again_and_its_pause_is_obeyed(world: World, receivers: Receivers) -> None:
    receivers.failing["a"] = 2
    world.declare(posting("tell", "a"))
    world.fail_task()
    world.step()
    (failing,) = world.ledger.retrying.failing()
    assert "a answers 500" in failing.reason
    for _ in range(2):
        world.expire_leases()
        act(world.ctx)
    assert len(receivers.posts) == 3
    assert len(set(receivers.keys())) == 1
    assert len(world.history("launched")) == 1


def test_a_paused_trigger_s_actions_wait(world: World, receivers: Receivers) -> None:
    tell = posting("tell", "a")
    world.declare(tell)
    world.fail_task()
    world.poll()
    world.match()
    world.pause(tell)
    world.settle()
    assert receivers.posts == []
    assert world.ledger.operations.held_count("pause:task:tell") == 1
    world.pause(tell, False)
    world.reconcile()
    assert len(receivers.posts) == 1
