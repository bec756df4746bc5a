"""A trigger's own edit of an object never fires that trigger again; a person's edit does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from tests.toy_action import Posting, Receivers, known
from triggers.actions import own_edits
from triggers.actions.attempt import Attempt
from triggers.model import Trigger
from triggers.model.parts import firing_of, part_of
from triggers.stages.act import act

TRIGGER = "task:on failure"


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with known() as receivers:
        yield receivers


def editor(world: World, **fields: Any) -> Trigger:
    """Tags what it fires for, at every change."""
    edit = {"type": "posting", "host": "", "text": "seen", "edits": True}
    return world.trigger(policy={"fire": "while_true"}, actions=[edit], **fields)


def steps(world: World, times: int = 3) -> int:
    """Let what was edited be read; how many firings there have been."""
    for _ in range(times):
        world.tick()
        world.step()
        world.expire_leases()  # an edit may wait until what somebody else has changed is read
        world.hints.acts = 1
        world.reconcile()
    return len(world.history("granted"))


def tags_of(world: World, id_: str) -> list[str]:
    (task,) = world.call("tasks.get_all", id=[id_], only_fields=["tags"])["tasks"]
    return list(task.get("tags") or [])


def test_an_own_edit_does_not_fire_the_trigger_and_a_persons_does(world: World, receivers: Receivers) -> None:
    world.declare(editor(world))
    id_ = world.fail_task()
    assert steps(world) == 1
    assert tags_of(world, id_) == ["seen"]
    world.call("tasks.edit", force=True, task=id_, tags=["seen", "by a person"])
    assert steps(world) == 2


def test_it_fires_another_trigger(world: World, receivers: Receivers) -> None:
    world.declare(editor(world), world.trigger(name="other", trigger_on_tags=["seen"]))
    world.fail_task()
    assert steps(world) == 2
    assert sorted(entry.trigger for entry in world.history("granted")) == ["task:on failure", "task:other"]


def test_a_persons_edit_between_the_firing_and_the_edit_fires(world: World, receivers: Receivers) -> None:
    """What is read next is of that change too."""
    world.declare(editor(world))
    id_ = world.fail_task()
    world.poll()
    world.match()
    world.tick()
    world.call("tasks.edit", force=True, task=id_, tags=["by a person"])
    world.tick()
    assert steps(world) == 2
    assert steps(world) == 2
    assert sorted(tags_of(world, id_)) == ["by a person", "seen"]


class Killed(BaseException):
    """In place of a SIGKILL."""


@pytest.mark.parametrize("where", ["announced", "edited", "settled"])
@pytest.mark.parametrize("meanwhile", [False, True], ids=["alone", "beside a person"])
def test_a_process_that_dies_around_the_edit(
    world: World, receivers: Receivers, monkeypatch: pytest.MonkeyPatch, where: str, meanwhile: bool
) -> None:
    world.declare(editor(world))
    id_ = world.fail_task()
    world.poll()
    world.match()
    with monkeypatch.context() as patched:
        _die(patched, where)
        with pytest.raises(Killed):
            world.settle()
    world.tick()
    if meanwhile:
        world.call("tasks.edit", force=True, task=id_, tags=[*tags_of(world, id_), "by a person"])
    world.poll()
    world.match()
    before = len(world.history("granted"))
    assert before == (2 if meanwhile and where == "settled" else 1), "nothing is decided while an edit is open"
    world.expire_leases()
    act(world.ctx)
    fired = steps(world)
    assert tags_of(world, id_).count("seen") == 1
    assert fired == (2 if meanwhile else 1)
    assert world.ledger.undecided.partitions() == []
    assert len({firing_of(key) for key in map(str, receivers.keys())}) == fired


def _die(patched: pytest.MonkeyPatch, where: str) -> None:
    """Die after that step, once."""
    if where == "settled":
        patched.setattr(Receivers, "take", lambda *_: _kill())
        return
    if where == "edited":
        patched.setattr(own_edits, "_settle", lambda *_: _kill())
        return
    edit = Posting.edit

    def killed(self: Posting, attempt: Attempt) -> None:
        call, api = attempt.ctx.api.call, attempt.ctx.api
        patched.setattr(api, "call", lambda name, *args: _kill() if name == "tasks.edit" else call(name, *args))
        edit(self, attempt)

    patched.setattr(Posting, "edit", killed)


def _kill() -> None:
    raise Killed


def test_a_trigger_that_edits_nothing_asks_nothing(
    world: World, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    judge = type(world.ledger.edits).judge_each
    monkeypatch.setattr(
        type(world.ledger.edits), "judge_each", lambda self, pairs: asked.append(len(pairs)) or judge(self, pairs)
    )
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    assert sum(asked) == 0


@pytest.mark.parametrize(
    "action",
    [
        {"type": "tag", "add": ["seen"]},
        {"type": "archive"},
        {"type": "publish"},
        {"type": "comment", "text": "seen"},
        {"type": "reset"},
    ],
    ids=lambda action: action["type"],
)
def test_no_edit_of_a_real_action_fires_its_trigger(world: World, action: dict[str, Any]) -> None:
    world.declare(
        world.trigger(
            policy={"fire": "while_true"}, trigger_on_status=["completed", "published", "created"], actions=[action]
        )
    )
    id_ = world.create_task()
    world.call("tasks.started", task=id_)
    world.call("tasks.completed", task=id_)
    assert steps(world, 1) == 1
    assert [entry.what for entry in world.history() if part_of(entry.firing)] == ["acted"]
    assert steps(world, 4) == 1
    world.call("tasks.edit", task=id_, comment="by a person", force=True)
    assert steps(world) == 2


def test_an_own_edit_that_makes_a_condition_true_is_seen_and_fires_nothing_later(
    world: World, receivers: Receivers
) -> None:
    """What the trigger has made true is not a transition, neither at its own edit nor at the next change by anybody."""
    receivers.failing["broken"] = 100
    broken = {"type": "posting", "host": "broken", "text": "x"}
    undone, done_again = ({"type": "tag", how: ["go"]} for how in ("remove", "add"))
    world.declare(
        world.trigger(
            trigger_on_status=[], trigger_on_tags=["go"], policy={"fire": "on_transition"},
            actions=[undone, broken], on_failed=[done_again],
        )
    )  # fmt: skip
    id_ = world.create_task()
    world.call("tasks.edit", force=True, task=id_, tags=["go"])
    assert steps(world) == 1
    assert tags_of(world, id_) == []
    assert not world.ledger.matching.marks([(TRIGGER, id_)])[TRIGGER, id_].active, "it is seen that it is over"
    assert steps(world, world.settings.max_attempts + 2) == 1
    assert tags_of(world, id_) == ["go"]
    world.call("tasks.edit", task=id_, comment="by a person", force=True)
    assert steps(world) == 1
    world.call("tasks.edit", force=True, task=id_, tags=[])
    assert steps(world) == 1
    world.call("tasks.edit", force=True, task=id_, tags=["go"])
    assert steps(world) == 2, "a person has made it true"
