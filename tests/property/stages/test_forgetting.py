"""Whatever is forgotten at whichever moment, the same launches are made as by a scheduler that forgets nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from tests.property.ledger.profile import profile
from tests.property.stages import world as stepped_world
from tests.property.stages.actors import Actor
from tests.property.stages.interleaving import Interleaving
from triggers.context import Context
from triggers.ledger.firings import forgetting
from triggers.ledger.matching.forgotten_marks import ForgottenMarks
from triggers.model import make_trigger
from triggers.rules import forgetting as rules
from triggers.rules.policies import Mark
from triggers.stages import forgotten, marks_budget
from triggers.stages.budgets import keep_to_budgets

#: Nothing that is over may be remembered.
NOTHING = {"firings_megabytes": 1e-9, "launched_megabytes": 1e-9, "marks_megabytes": 1e-9, "sweep_window_seconds": 1.0}
#: The server's clock of the test is ahead of Redis' by more than a month.
AHEAD_MS = -10 * 365 * 86_400_000

#: What happens, and to which object; after it everything may be forgotten, or a round of that begins and stands still.
Step = tuple[str, int, str]
HAPPENS = ["fails", "changes", "changes", "changes", "copies", "poll", "match:0", "match:1", "look", "look", "dispatch"]
HAPPENS += ["works", "works", "waits"]
FORGETS = ["forgets", "forgets", "begins", "ends", ""]

steps = st.lists(
    st.tuples(st.sampled_from(HAPPENS), st.integers(0, 7), st.sampled_from(FORGETS)), min_size=3, max_size=30
)

TURNS: list[Step] = [("fails", 0, ""), ("changes", 1, ""), ("look", 0, ""), ("dispatch", 0, ""), ("waits", 0, "")]
TURNS += [("changes", 1, ""), ("look", 0, "forgets"), ("changes", 1, ""), ("look", 0, ""), ("dispatch", 0, "")]
ONCE: list[Step] = [("fails", 0, ""), ("look", 0, ""), ("dispatch", 0, ""), ("waits", 0, "forgets"), ("changes", 0, "")]
ONCE += [("look", 0, ""), ("dispatch", 0, "")]


def forget(ctx: Context) -> None:
    """Forget all that may be: first the records of firings, then marks."""
    ctx.settings = ctx.settings.model_copy(update=NOTHING)
    for _ in range(2):
        ctx.ledger.store.client.hdel(ctx.ledger.keys.forgetting, "next_ms")
        keep_to_budgets(ctx, 0)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgetting is a stage of its own, which actors run call by call, and nothing is too recent for it."""
    monkeypatch.setattr(forgetting, "KEPT_MS", AHEAD_MS)
    monkeypatch.setattr(marks_budget, "BEHIND_MS", AHEAD_MS)
    real = stepped_world.run_stage

    def run_stage(ctx: Context, stage: str) -> None:
        forget(ctx) if stage == "forget" else real(ctx, stage)

    monkeypatch.setattr(stepped_world, "run_stage", run_stage)


class Play:
    """One world in which the steps happen, with or without forgetting."""

    def __init__(self, servers: list[redis.Redis], clock: SimpleNamespace, *, forgets: bool) -> None:
        self.run, self.forgets = Interleaving(servers, clock), forgets
        self.run.world.settings = self.run.world.settings.model_copy(update={"sweep_window_seconds": 1.0})
        action = {"type": "task", "base_task_id": self.run.world.base, "queue": "default"}
        again = {"fire": "while_true", "cooldown_minutes": 0}
        hot = {"trigger_name": "^object", "trigger_on_tags": ["hot"]}
        self.run.triggers.append(make_trigger("task", name="again", action=action, policy=again, **hot))
        self.run.declare()
        self.begun: Actor | None = None
        self.forgotten = 0

    def play(self, happens: Sequence[Step]) -> Counter[str]:
        """Let it all happen, then come to rest; how often each firing was launched."""
        for what, which, forgets in happens:
            self._happen(what, which)
            self.run.server.now += 2
            if self.forgets:
                self._forget(forgets)
        self._forget("ends")
        self.run.faults_are_over()
        for _ in range(3 * len(self.run.objects) + 6):
            self.run.round()
        marks = self.run.world.ledger.marks.all()
        self.forgotten = sum(one.count for one in marks.values())
        return +self.run.server.launched

    def _happen(self, what: str, which: int) -> None:
        run = self.run
        match what:
            case "fails":
                run.object_fails()
            case "changes":
                run.object_changes(which, 1 + which % 3)
            case "copies":
                run.person_copies(which)
            case "works":
                run.agent_works(which)
            case "look":
                run.look()
            case "waits":  # until what was read before cannot be read again
                run.server.now += 100
                run.look()
                run.look()
            case stage:
                run.world.serve(stage)

    def _forget(self, how: str) -> None:
        world = self.run.world
        if self.begun is not None and how in ("begins", "ends"):
            world.finish(self.begun)
            self.begun = None
        if how == "forgets":
            world.serve("forget")
        elif how == "begins":
            actor = self.begun = world.processes[0].begin("forget")
            while not actor.ended and actor.point != "forget_marks":
                world.resume(actor)


def launches(servers: list[redis.Redis], clock: SimpleNamespace, happens: Sequence[Step]) -> list[Counter[str]]:
    """The launches of the steps without forgetting, and with it."""
    without = Play(servers, clock, forgets=False).play(happens)
    with_it = Play(servers, clock, forgets=True)
    found = with_it.play(happens)
    clock.forgotten = with_it.forgotten
    return [without, found]


@pytest.mark.usefixtures("forgetful")
@given(happens=steps)
@example(happens=TURNS)
@example(happens=ONCE)
@profile(25)
def test_forgetting_changes_no_launch(
    redis_servers: list[redis.Redis], clock: SimpleNamespace, happens: list[Step]
) -> None:
    without, with_it = launches(redis_servers, clock, happens)
    assert with_it == without
    assert set(with_it.values()) <= {1}


def without_looking_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forgotten, "look_up", lambda *_: {})


def without_counting_on(patch: pytest.MonkeyPatch) -> None:
    real: Any = rules.looked_up

    def first(*args: Any) -> Mark:
        mark: Mark = real(*args)
        return Mark(min(1, mark.occurrence), mark.active, mark.changed_ms, mark.fired_ms)

    patch.setattr(forgotten, "looked_up", first)


def without_keeping_what_holds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(marks_budget, "can_be_looked_up", lambda _, mark: bool(mark.fired_ms))


def without_the_note(patch: pytest.MonkeyPatch) -> None:
    real = ForgottenMarks.forget

    def silently(self: ForgottenMarks, *args: Any, may_fire: bool) -> int:
        del may_fire
        return real(self, *args, may_fire=False)

    patch.setattr(ForgottenMarks, "forget", silently)


HELD: list[Step] = [("fails", 0, ""), ("changes", 1, ""), ("look", 0, ""), ("dispatch", 0, ""), ("waits", 0, "forgets")]
HELD += [("changes", 1, ""), ("look", 0, ""), ("changes", 1, ""), ("look", 0, ""), ("dispatch", 0, "")]


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    ("happens", "without_rule"),
    [
        (ONCE, without_looking_up),
        (ONCE, without_the_note),
        (TURNS + TURNS[4:], without_counting_on),
        (HELD, without_keeping_what_holds),
    ],
)
def test_without_a_rule_of_forgetting_it_is_seen(
    redis_servers: list[redis.Redis],
    clock: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    happens: list[Step],
    without_rule: Any,
) -> None:
    without, with_it = launches(redis_servers, clock, happens)
    assert (with_it == without, clock.forgotten > 0) == (True, True)
    without_rule(monkeypatch)
    without, with_it = launches(redis_servers, clock, happens)
    assert with_it != without
