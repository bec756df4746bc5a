"""A process that dies before or after any script of a firing with several actions loses none and grants none twice.

The points are found by watching: every call of the store, in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.toy_action import Receivers, known
from triggers.ledger.store import Store
from triggers.model import Trigger
from triggers.model.parts import part_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with known() as receivers:
        yield receivers


class Killed(BaseException):
    """In place of a SIGKILL."""


class Points:
    """Counts the calls of the store; dies before or after one of them."""

    def __init__(self, at: int = 0, before: bool = False) -> None:
        self.at, self.before, self.calls, self.died = at, before, 0, False

    def pass_(self, call: Any) -> Any:
        self.calls += 1
        here = self.calls == self.at and not self.died
        if here and self.before:
            self.died = True
            raise Killed
        answer = call()
        if here:
            self.died = True
            raise Killed
        return answer


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, points: Points) -> Iterator[None]:
    with monkeypatch.context() as patched:
        for name in ("run", "run_together"):
            original = getattr(Store, name)

            def wrapped(self: Store, *arguments: Any, original: Any = original) -> Any:
                return points.pass_(lambda: original(self, *arguments))

            patched.setattr(Store, name, wrapped)
        try:
            yield
        except Killed:
            assert points.died


def several(world: World) -> Trigger:
    """All goes to the ClearML server, so that one thread does it all, and every call has its place in the order."""
    posts: list[dict[str, Any]] = [
        {"type": "posting", "host": "", "text": "now"},
        {"type": "posting", "host": "", "text": "later", "on": "launched"},
    ]
    closing = [{"type": "posting", "host": "", "text": text} for text in ("close", "close too")]
    return world.trigger(policy={"fire": "on_transition"}, actions=posts, on_resolved=closing)


def go_on(world: World) -> None:
    """What the other workers do: leases expire, hints are given again."""
    world.lose_hints()
    for _ in range(4):
        for key in world.ledger.store.client.scan_iter(f"{world.ledger.keys.prefix}lease:*"):
            world.ledger.store.client.delete(key)
        world.expire_leases()
        world.reconcile()
        world.hints.acts = world.hints.dispatches = 1
        world.settle()


def play(world: World, monkeypatch: pytest.MonkeyPatch, points: Points) -> None:
    """A change is launched, acted on and resolved; the process dies on the way, and others go on."""
    world.declare(several(world))
    id_ = world.fail_task()
    world.poll()
    with dying(monkeypatch, points):
        world.settle()
    go_on(world)
    world.tick()
    world.call("tasks.reset", task=id_)
    world.poll()
    with dying(monkeypatch, points):
        world.settle()
    go_on(world)


def test_no_action_is_lost_or_granted_twice(
    world: World, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Points()
    play(world, monkeypatch, seen)
    assert seen.calls > 12
    for at in range(1, seen.calls + 1):
        for before in (True, False):
            world.sandbox.control.reset()
            world.ledger.store.client.flushall()
            receivers.posts.clear()
            fresh = World(world.sandbox, world.ledger, world.settings)
            fresh.ledger.adopt_epoch(nothing_launched_before=True)
            fresh.ctx = fresh.context()
            points = Points(at, before)
            play(fresh, monkeypatch, points)
            where = f"{'before' if before else 'after'} call {at} of {seen.calls}"
            assert list(fresh.runs().values()) == [1], where
            acted = Counter(part_of(entry.firing) for entry in fresh.history("acted"))
            assert acted == {"1": 1, "2": 1, "r0": 1, "r1": 1}, where
            assert {part_of(post.key) for post in receivers.posts} == set(acted), where
            assert len({post.key for post in receivers.posts}) == 4, where
            (later,) = {post.launched for post in receivers.posts if post.text == "later"}
            assert later == fresh.clones()[0]["id"], where
            fresh.client.close()
