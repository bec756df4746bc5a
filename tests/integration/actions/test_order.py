"""Edits of one firing that change the status of one ClearML task are made in the order of the list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.actions.conftest import ended
from tests.integration.actions.test_edits import again, running, task
from tests.integration.stages.conftest import World
from triggers.actions import Abort, Dequeue, Enqueue, Publish, Reset, Tag, table
from triggers.actions.listed import Listed
from triggers.base.errors import InvalidTrigger, ServerUnavailable
from triggers.clearml_api import Api
from triggers.model import make_trigger
from triggers.model.trigger import check_new

LAUNCH = {"type": "task", "base_task_id": "b", "queue": "default"}


def restart(world: World, fire: str = "once", **fields: Any) -> None:
    fields = {"trigger_on_status": ["failed"], **fields}
    actions = [Reset(), Enqueue("default")]
    first = Tag(["restarted"])  # the other two are granted together
    world.declare(make_trigger("task", name="t", action=first, actions=actions, policy={"fire": fire}, **fields))


def rest(world: World, times: int = 6) -> None:
    for _ in range(times):
        again(world)


@pytest.fixture(params=[False, True], ids=["in order", "the last first"])
def _order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers take what is due in any order."""
    if request.param:
        classes = list(table.ACTIONS.values())[::-1]
        monkeypatch.setattr(table.ActionTable, "values", lambda _: classes)


@pytest.mark.usefixtures("_order")
@pytest.mark.parametrize("fire", ["once", "on_transition", "while_true"])
@pytest.mark.parametrize("ended_as", ["failed", "stopped", "completed"])
def test_a_run_is_reset_and_enqueued(world: World, fire: str, ended_as: str) -> None:
    restart(world, fire, trigger_on_status=[ended_as])
    id_ = world.create_task()
    world.call("tasks.started", task=id_)
    world.call(f"tasks.{ended_as}", task=id_)
    world.step()
    rest(world)
    assert [what for what, _ in ended(world)] == ["launched", "acted", "acted"], ended(world)
    found = task(world, id_)
    assert (found["status"], found["tags"], world.queue_entries()) == ("queued", ["restarted"], [id_])
    assert not found.get("started"), "it was reset before it was enqueued"


@pytest.mark.usefixtures("_order")
@pytest.mark.parametrize("lost", ["tasks.reset", "tasks.enqueue"])
@pytest.mark.parametrize("done", [True, False], ids=["reply lost", "never arrived"])
def test_a_lost_reply_does_not_break_the_order(
    world: World, monkeypatch: pytest.MonkeyPatch, lost: str, done: bool
) -> None:
    restart(world)
    id_ = world.fail_task()
    real, made = Api.call, list[str]()

    def lossy(self: Api, called: str, body: Any) -> Any:
        if called in ("tasks.reset", "tasks.enqueue"):
            made.append(called)
        if called == lost and made.count(lost) == 1:
            if done:
                real(self, called, body)
            raise ServerUnavailable("the reply was lost")
        return real(self, called, body)

    monkeypatch.setattr(Api, "call", lossy)
    world.step()
    rest(world)
    assert task(world, id_)["status"] == "queued"
    assert world.queue_entries() == [id_]
    assert made.index("tasks.reset") < made.index("tasks.enqueue")
    assert len(made) == (2 if done else 3)


def test_what_comes_after_an_edit_that_cannot_be_made_is_tried_all_the_same(world: World) -> None:
    restart(world, trigger_on_status=["published"])
    id_ = world.fail_task()
    world.call("tasks.publish", task=id_)
    world.step()
    rest(world)
    said = dict(ended(world))
    assert "launch a clone of it" in said["dead"]
    assert task(world, id_)["tags"] == ["restarted"]


@pytest.mark.usefixtures("_order")
def test_a_run_is_aborted_then_reset_then_enqueued(world: World) -> None:
    actions = [Abort("again"), Reset(), Enqueue("default")]
    world.declare(make_trigger("task", name="t", action=Tag(["seen"]), actions=actions, trigger_name="^begin$"))
    id_ = running(world)
    world.step()
    rest(world)
    assert (task(world, id_)["status"], world.queue_entries()) == ("queued", [id_])


def test_a_person_who_acts_in_between_is_not_overruled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    restart(world)
    id_ = world.fail_task()
    real, refused = Api.call, list[str]()

    def call(self: Api, endpoint: str, body: Any) -> Any:
        if endpoint == "tasks.enqueue" and not refused:
            refused.append(endpoint)
            raise ServerUnavailable("not now")
        return real(self, endpoint, body)

    monkeypatch.setattr(Api, "call", call)
    world.step()
    assert refused
    world.tick()
    world.call("tasks.started", task=id_)
    world.call("tasks.stopped", task=id_)
    rest(world)
    assert ("acted", "it is stopped since an earlier try") in ended(world)
    assert task(world, id_)["status"] == "stopped"


@pytest.mark.parametrize("action", [Publish(on="launched"), Reset(on="launched"), Enqueue("q", on="launched")])
def test_what_needs_an_ended_task_is_refused_for_a_launch(action: Listed) -> None:
    alone = make_trigger("model", name="t", action=LAUNCH, actions=[action])
    with pytest.raises(InvalidTrigger, match="waits or runs when it is to be"):
        check_new(alone)
    first = Abort(on="launched") if action.type == "publish" else Dequeue(on="launched")
    check_new(make_trigger("model", name="t", action=LAUNCH, actions=[first, action]))
