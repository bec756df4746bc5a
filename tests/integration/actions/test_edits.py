"""Actions that edit the object that fired: what they change, and that a further try changes nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.actions.conftest import declare, ended, trigger
from tests.integration.stages.conftest import World
from triggers.actions import (
    Abort,
    Archive,
    Comment,
    Dequeue,
    Enqueue,
    Publish,
    Reset,
    SetMetadata,
    Tag,
    Unarchive,
    Webhook,
)
from triggers.actions.listed import InvalidAction, Listed
from triggers.base.errors import InvalidTrigger, ServerUnavailable
from triggers.clearml_api import Api, edits
from triggers.context import Context
from triggers.model import Trigger, make_trigger

IN_DRAFT = {"trigger_name": "^begin$"}


def task(world: World, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = world.call("tasks.get_by_id", task=id_)["task"]
    return found


def model(world: World, **fields: Any) -> str:
    return str(world.call("models.create", uri="file:///m", name="net", ready=False, **fields)["id"])


def read_model(world: World, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = world.call("models.get_by_id", model=id_)["model"]
    return found


def running(world: World, **fields: Any) -> str:
    id_ = world.create_task(name="begin", **fields)
    world.call("tasks.started", task=id_)
    return id_


# ---- on ClearML tasks -------------------------------------------------------------------------------------------
def test_tag_adds_and_removes_and_leaves_the_others(world: World) -> None:
    declare(world, Tag(add=["seen", "by ${trigger.name}"], remove=["new", "not there"]))
    id_ = world.fail_task(tags=["new", "kept"])
    world.step()
    assert task(world, id_)["tags"] == ["by t", "kept", "seen"]
    assert ended(world)[-1] == ("launched", "")


def test_publish_archive_and_unarchive(world: World) -> None:
    declare(world, Publish(), name="p")
    id_ = world.fail_task()
    world.step()
    assert task(world, id_)["status"] == "published"
    declare(world, Archive(), name="a", trigger_on_status=["published"])
    other = world.fail_task()
    world.call("tasks.publish", task=other)
    world.step()
    assert "archived" in task(world, other)["system_tags"]
    declare(world, Unarchive(), name="u", trigger_on_archive=True)
    world.call("tasks.archive_many", ids=[id_])
    world.step()
    assert "archived" not in task(world, id_).get("system_tags", [])


def test_a_task_that_runs_cannot_be_published(world: World) -> None:
    declare(world, Publish(), **IN_DRAFT)
    running(world)
    world.step()
    what, reason = ended(world)[-1]
    assert (what, "only one that has ended can be published" in reason) == ("dead", True)


def test_abort_ends_a_run_and_says_why(world: World) -> None:
    declare(world, Abort("${trigger.name}: loss is ${object.metric[loss/train]}"), **IN_DRAFT)
    id_ = running(world)
    world.step()
    found = task(world, id_)
    assert (found["status"], found["status_reason"]) == ("stopped", "t: loss is none")


def test_abort_leaves_alone_what_does_not_run(world: World) -> None:
    declare(world, Abort())
    id_ = world.fail_task()
    world.step()
    assert task(world, id_)["status"] == "failed"
    assert ended(world)[-1] == ("launched", "it is failed: there is nothing to abort")


def worked_on(world: World, id_: str) -> None:
    """As an agent or the SDK says it, which is to end what it runs."""
    world.call("workers.register", worker="w", timeout=600)
    world.call("workers.status_report", worker="w", task=id_, timestamp=0)


@pytest.mark.sandbox_control
def test_abort_waits_for_the_worker_that_ends_the_run(world: World) -> None:
    declare(world, Abort("diverged"), **IN_DRAFT)
    id_ = running(world)
    worked_on(world, id_)
    world.step()
    assert (task(world, id_)["status"], task(world, id_)["status_message"]) == ("in_progress", "stopping")
    assert ended(world) == [], "it is looked at again"
    world.call("tasks.stopped", task=id_)
    again(world)
    assert ended(world)[-1] == ("launched", "it is stopped: there is nothing to abort")


@pytest.mark.sandbox_control
def test_a_worker_that_does_not_end_the_run_is_not_waited_for_without_limit(world: World) -> None:
    declare(world, Abort("diverged"), **IN_DRAFT)
    id_ = running(world)
    worked_on(world, id_)
    world.step()
    again(world)
    assert task(world, id_)["status"] == "in_progress"
    world.sandbox.control.clock(offset_seconds=world.sandbox.control.clock()["offset_seconds"] + 70)
    again(world)
    found = task(world, id_)
    assert (found["status"], found["status_reason"]) == ("stopped", "diverged")


def test_reset_makes_a_draft_of_a_run_that_has_ended_and_of_no_other(world: World) -> None:
    declare(world, Reset(), trigger_name="^begin$|^some task$")
    ended_, runs = world.fail_task(), running(world)
    world.step()
    assert (task(world, ended_)["status"], task(world, runs)["status"]) == ("created", "in_progress")


def test_enqueue_and_dequeue(world: World) -> None:
    declare(world, Enqueue("default"), name="e")
    id_ = world.fail_task()
    world.step()
    assert world.queue_entries() == [id_]
    assert task(world, id_)["status"] == "queued"
    declare(world, Dequeue(), name="d", trigger_on_status=["queued"])
    other = world.create_task()
    world.call("tasks.enqueue", task=other, queue_name="default")
    world.step()
    assert world.queue_entries() == [id_]
    assert task(world, other)["status"] == "created"


def test_enqueue_says_what_cannot_be_enqueued_and_waits_for_a_queue(world: World) -> None:
    world.declare(
        trigger(Enqueue("default"), name="e", trigger_on_status=["completed"]),
        trigger(Enqueue("not there"), name="w", trigger_on_status=["failed"]),
    )
    id_ = world.create_task()
    world.call("tasks.started", task=id_)
    world.call("tasks.completed", task=id_)
    world.fail_task()
    world.step()
    said = dict(ended(world))
    assert "reset it first" in said["dead"]
    assert "no queue 'not there'" in said["failed"]


def test_settings_that_limit_launches_limit_enqueue(world: World) -> None:
    declare(world, Enqueue("default"), name="e")
    world.fail_task()
    world.step(world.context(allow_queues=("other",)))
    what, reason = ended(world)[-1]
    assert (what, "TRIGGERS_ALLOW_QUEUES has other" in reason) == ("dead", True)
    world.fail_task()
    world.step(world.context(allow_base_projects=("Ours",)))
    what, reason = ended(world)[-1]
    assert (what, "TRIGGERS_ALLOW_BASE_PROJECTS has Ours" in reason) == ("dead", True)
    assert world.queue_entries() == []


def test_comment_adds_a_line_and_keeps_what_is_there(world: World) -> None:
    declare(world, Comment("${trigger.name} saw ${object.status}"))
    id_ = world.fail_task(comment="mine")
    other = world.fail_task()
    world.step()
    assert task(world, id_)["comment"] == "mine\nt saw failed"
    assert task(world, other)["comment"] == "t saw failed"


# ---- on models --------------------------------------------------------------------------------------------------
def test_a_model_is_tagged_published_described_and_archived(world: World) -> None:
    values = {"stage": "production", "of": "${object.name}", "score": 0.5, "n": 3, "ok": True}
    actions = [Tag(add=["best"]), Publish(), Comment("promoted"), SetMetadata(values)]
    world.declare(*(trigger(each, "model", f"m{n}", trigger_name="net") for n, each in enumerate(actions)))
    id_ = model(world, tags=["a"])
    world.step()
    found = read_model(world, id_)
    assert (found["tags"], found["ready"], found["comment"]) == (["a", "best"], True, "promoted")
    assert {key: (one["type"], one["value"]) for key, one in found["metadata"].items()} == {
        "stage": ("str", "production"), "of": ("str", "net"), "score": ("float", "0.5"), "n": ("int", "3"),
        "ok": ("bool", "True"),
    }  # fmt: skip
    declare(world, Archive(), "model", name="old", trigger_on_tags=["old"])
    world.call("models.update_tags", ids=[id_], add_tags=["old"])
    world.step()
    assert "archived" in read_model(world, id_)["system_tags"]


def test_publishing_a_model_leaves_its_task_alone(world: World) -> None:
    made_by = world.create_task()
    world.call("tasks.started", task=made_by)
    declare(world, Publish(), "model", name="m", trigger_name="net")
    id_ = model(world, task=made_by)
    world.step()
    assert (read_model(world, id_)["ready"], task(world, made_by)["status"]) == (True, "in_progress")


# ---- again ------------------------------------------------------------------------------------------------------
def again(world: World, ctx: Context | None = None) -> None:
    """Let the next try begin now."""
    world.expire_leases()
    world.hints.acts = 1
    world.settle(ctx)


EDITS: list[tuple[str, Listed, Callable[[World], str]]] = [
    ("tasks.update_tags", Tag(add=["a"], remove=["new"]), lambda world: world.fail_task(tags=["new"])),
    ("tasks.publish", Publish(), lambda world: world.fail_task()),
    ("tasks.archive_many", Archive(), lambda world: world.fail_task()),
    ("tasks.reset", Reset(), lambda world: world.fail_task()),
    ("tasks.enqueue", Enqueue("default"), lambda world: world.fail_task()),
    ("tasks.update", Comment("once"), lambda world: world.fail_task()),
    ("tasks.stop", Abort(), running),
]


@pytest.mark.parametrize(("endpoint", "action", "make"), EDITS, ids=[each[0] for each in EDITS])
@pytest.mark.parametrize("done", [True, False], ids=["reply lost", "never arrived"])
def test_a_try_after_a_lost_reply_changes_nothing_twice(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
    action: Listed,
    make: Callable[[World], str],
    done: bool,
) -> None:
    declare(world, action, trigger_name="^begin$|^some task$")
    id_ = make(world)
    made: list[str] = []
    real = Api.call

    def lossy(self: Api, called: str, body: Any) -> Any:
        if called != endpoint:
            return real(self, called, body)
        made.append(called)
        answer = real(self, called, body) if done or len(made) > 1 else None
        if len(made) == 1:
            raise ServerUnavailable("the reply was lost")
        return answer

    monkeypatch.setattr(Api, "call", lossy)
    world.step()
    assert ended(world)[-1][0] == "failed"
    before = task(world, id_)
    again(world)
    assert ended(world)[-1][0] == "launched"
    assert len(made) == (1 if done else 2)
    assert (task(world, id_) == before) is done


@pytest.mark.parametrize("action", [Reset(), Enqueue("default")])
def test_a_further_try_leaves_alone_what_somebody_did_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, action: Listed
) -> None:
    """A run that a person began since then is not the one that fired."""
    declare(world, action)
    id_ = world.fail_task()
    with monkeypatch.context() as patch:
        patch.setattr(Api, "call", _refusing(Api.call))
        world.step()
    world.tick()
    world.call("tasks.reset", task=id_)
    world.call("tasks.started", task=id_)
    world.call("tasks.stopped", task=id_)
    again(world)
    assert ended(world)[-1] == ("launched", "it is stopped since an earlier try")
    assert task(world, id_)["status"] == "stopped"


def _refusing(real: Any) -> Any:
    def call(self: Api, endpoint: str, body: Any) -> Any:
        if endpoint in ("tasks.reset", "tasks.enqueue"):
            raise ServerUnavailable("not now")
        return real(self, endpoint, body)

    return call


def test_an_object_that_was_deleted_meanwhile_is_skipped(world: World) -> None:
    declare(world, Tag(add=["a"]))
    id_ = world.fail_task()
    world.poll()
    world.call("tasks.delete", task=id_, force=True)
    world.settle()
    assert ended(world)[-1] == ("skipped", f"task {id_} was deleted")


@pytest.mark.parametrize("kind", ["task", "model"])
@pytest.mark.parametrize("action", [Tag(add=["a"]), Publish(), Archive(), Comment("c")], ids=lambda each: each.type)
def test_an_object_that_is_deleted_between_look_and_edit_is_skipped(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, action: Listed
) -> None:
    declare(world, action, kind, trigger_name="^net$|^some task$")
    id_ = world.fail_task() if kind == "task" else model(world)
    read = edits.read

    def deleted_then(*asked: Any) -> Any:
        found = read(*asked)
        if found is not None:
            world.call(f"{kind}s.delete", force=True, **{kind: id_})
        return found

    monkeypatch.setattr(edits, "read", deleted_then)
    world.step()
    assert ended(world)[-1] == ("skipped", f"{kind} {id_} was deleted")


# ---- what is refused --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "action", "said"),
    [
        ("model", Abort(), "on='launched'"),
        ("dataset", Reset(), "Reset acts on tasks"),
        ("model", Enqueue("q"), "Enqueue acts on tasks"),
        ("model", Dequeue(), "on='launched'"),
        ("task", SetMetadata({"a": 1}), "SetMetadata acts on models"),
        ("dataset", SetMetadata({"a": 1}), "SetMetadata acts on models"),
        ("model", SetMetadata({"a": 1}, on="launched"), "SetMetadata acts on models"),
        ("model", Comment("${object.metric[a/b]}"), "a model has no metrics"),
        ("model", Webhook("https://h.example/${object.metric[a/b]}"), "a model has no metrics"),
    ],
)
def test_a_kind_that_an_action_cannot_serve_is_refused_at_registration(kind: str, action: Any, said: str) -> None:
    with pytest.raises(InvalidTrigger) as caught:
        make_trigger(kind, name="t", trigger_name="x", action=action)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Tag(), "give tags to add or to remove"),
        (lambda: Tag(add=["a"], remove=["a"]), "either added or removed"),
        (lambda: Tag(add="a"), "give a list of strings"),
        (lambda: Tag(add=["a\nb"]), "cannot contain line breaks"),
        (lambda: Tag(add=["${object.nam}"]), "did you mean ${object.name}?"),
        (lambda: Tag(add=["a"], on="both"), "'object', 'launched'"),
        (lambda: Enqueue(), "Enqueue needs it"),
        (lambda: Enqueue(""), "name a queue"),
        (lambda: Enqueue("a", "b"), "at most 1"),
        (lambda: Enqueue("a", queue="b"), "given twice"),
        (lambda: SetMetadata({}), "1 to 100"),
        (lambda: SetMetadata({"a": [1]}), "a text, a number"),
        (lambda: Comment(" "), "give a text"),
        (lambda: Comment("${env:TOKEN}"), "is a secret"),
        (lambda: Publish(tags=["a"]), "unknown argument of Publish"),
    ],
)
def test_an_argument_that_is_wrong_is_refused_where_it_is_written(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(InvalidAction) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "action",
    [
        Tag(add=["a"], remove=["b"]), Publish(), Archive(on="launched"), Unarchive(), Abort("m"), Reset(), Enqueue("q"),
        Dequeue(), Comment("c"),
    ],
)  # fmt: skip
def test_an_action_survives_being_stored_and_says_what_it_does(action: Listed) -> None:
    if action.after_launch:
        assert action.words().endswith("the launched ClearML task")
        return
    declared = make_trigger("task", name="t", trigger_name="x", action=action)
    assert Trigger.from_json(declared.to_json()) == declared
    assert make_trigger("task", name="t", trigger_name="x", action=action.form()) == declared
    assert action.words()
    assert action.done


def test_an_action_on_what_was_launched_waits_for_it_and_names_it(world: World) -> None:
    action = {"type": "task", "base_task_id": world.base, "queue": "default"}
    further = [Tag(add=["for ${object.name}"], on="launched"), Comment("launched ${launched.id}")]
    world.declare(make_trigger("task", name="t", trigger_on_status=["failed"], action=action, actions=further))
    failed = world.fail_task(name="train")
    world.step()
    (launched,) = world.clones()
    assert "for train" in launched["tags"]
    assert task(world, failed)["comment"] == f"launched {launched['id']}"
