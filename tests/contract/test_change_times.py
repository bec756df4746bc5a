"""Which call moves which time, as the recordings found it: read before and after each call."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from triggers.sandbox import Client

Json = dict[str, Any]
Step = Callable[[Client, Json], Any]
SCALAR = {"type": "training_stats_scalar", "iter": 0, "metric": "acc", "variant": "val", "value": 1}
ITEM = {"section": "Args", "name": "x", "value": "1"}
NONE, CHANGE, UPDATE = set(), {"last_change"}, {"last_change", "last_update"}
STEP = UPDATE | {"status_changed"}


def on_task(action: str, many: bool = False, **body: Any) -> Step:
    """A call about the task."""
    return lambda api, at: api.call(
        f"tasks.{action}", {**({"ids": [at["task"]]} if many else {"task": at["task"]}), **body}
    )


def on_model(action: str, many: bool = False, **body: Any) -> Step:
    """A call about the model."""
    return lambda api, at: api.call(
        f"models.{action}", {**({"ids": [at["model"]]} if many else {"model": at["model"]}), **body}
    )


def event(**values: Any) -> Step:
    return lambda api, at: api.call("events.add", {**SCALAR, "task": at["task"], **values})


TASK_CALLS: dict[str, tuple[Step, set[str]]] = {
    "read": (on_task("get_by_id"), NONE),
    "clone, the source": (on_task("clone"), NONE),
    "rename its project": (
        lambda api, at: api.call("projects.update", {"project": at["project"], "name": at["name"] + " 2"}),
        NONE,
    ),
    "get_next_task": (lambda api, at: api.call("queues.get_next_task", {"queue": at["queue"]}), NONE),
    "make a model of it": (
        lambda api, at: api.call("models.create", {"uri": "file:///m", "name": "of it", "task": at["task"]}),
        NONE,
    ),
    "edit name": (on_task("edit", name="another"), CHANGE),
    "edit tags": (on_task("edit", tags=["a"]), CHANGE),
    "edit system_tags": (on_task("edit", system_tags=["z"]), CHANGE),
    "edit comment": (on_task("edit", comment="c"), CHANGE),
    "edit tags by force": (on_task("edit", tags=["a"], force=True), CHANGE),
    "update tags": (on_task("update", tags=["a"]), CHANGE),
    "update comment": (on_task("update", comment="c"), CHANGE),
    "update_tags add": (on_task("update_tags", many=True, add_tags=["x"]), CHANGE),
    "update_tags remove what is not there": (on_task("update_tags", many=True, remove_tags=["x"]), CHANGE),
    "move": (lambda api, at: on_task("move", many=True, project_name=at["name"] + "/below")(api, at), CHANGE),
    "archive": (lambda api, at: api.call("tasks.archive", {"tasks": [at["task"]]}), CHANGE),
    "archive_many": (on_task("archive_many", many=True), CHANGE),
    "unarchive_many": (on_task("unarchive_many", many=True), CHANGE),
    "make_public": (on_task("make_public", many=True), CHANGE),
    "make_private": (on_task("make_private", many=True), CHANGE),
    "edit script": (on_task("edit", script={"branch": "b"}), UPDATE),
    "edit hyperparams": (on_task("edit", hyperparams={"Args": {"x": ITEM}}), UPDATE),
    "edit container": (on_task("edit", container={"image": "i"}), UPDATE),
    "edit_hyper_params": (on_task("edit_hyper_params", hyperparams=[ITEM]), UPDATE),
    "edit_configuration": (on_task("edit_configuration", configuration=[{"name": "c", "value": "1"}]), UPDATE),
    "edit_runtime": (on_task("edit_runtime", add_or_update={"k": "v"}), UPDATE),
    "set_requirements": (on_task("set_requirements", requirements={"pip": "x"}), UPDATE),
    "add_or_update_artifacts": (on_task("add_or_update_artifacts", artifacts=[{"key": "k", "type": "t"}]), UPDATE),
    "delete_artifacts": (on_task("delete_artifacts", artifacts=[{"key": "k"}]), UPDATE),
    "add_or_update_model": (on_task("add_or_update_model", type="input", name="i", model="0" * 32), UPDATE),
    "ping": (on_task("ping"), UPDATE),
    "scalar": (event(), UPDATE),
    "log": (event(type="log", msg="x"), UPDATE),
    "plot": (event(type="plot", plot_str="{}"), UPDATE),
    "workers.status_report": (
        lambda api, at: api.call("workers.status_report", {"worker": "w", "timestamp": 1, "task": at["task"]}),
        UPDATE,
    ),
    "enqueue": (lambda api, at: on_task("enqueue", queue=at["queue"])(api, at), STEP),
    "started": (on_task("started"), STEP),
    "reset": (on_task("reset"), STEP),
    "stop by force": (on_task("stop", force=True), STEP),
    "stopped by force": (on_task("stopped", force=True), STEP),
    "failed by force": (on_task("failed", force=True), STEP),
    "completed by force": (on_task("completed", force=True), STEP),
    "publish by force": (on_task("publish", force=True), STEP),
}
MODEL_CALLS: dict[str, tuple[Step, set[str]]] = {
    "read": (on_model("get_by_id"), NONE),
    "used as input": (
        lambda api, at: on_task("add_or_update_model", type="input", name="i", model=at["model"])(api, at),
        NONE,
    ),
    "edit name": (on_model("edit", name="another"), CHANGE),
    "update comment": (on_model("update", comment="c"), CHANGE),
    "update_tags": (on_model("update_tags", many=True, add_tags=["x"]), CHANGE),
    "move": (lambda api, at: on_model("move", many=True, project_name=at["name"] + "/below")(api, at), CHANGE),
    "archive_many": (on_model("archive_many", many=True), CHANGE),
    "unarchive_many": (on_model("unarchive_many", many=True), CHANGE),
    "make_public": (on_model("make_public", many=True), CHANGE),
    "edit tags": (on_model("edit", tags=["a"]), UPDATE),
    "update tags": (on_model("update", tags=["a"]), UPDATE),
    "edit uri": (on_model("edit", uri="file:///other"), UPDATE),
    "edit ready": (on_model("edit", ready=True), UPDATE),
    "add_or_update_metadata": (
        on_model("add_or_update_metadata", metadata=[{"key": "k", "type": "str", "value": "v"}]),
        UPDATE,
    ),
    "delete_metadata": (on_model("delete_metadata", keys=["k"]), UPDATE),
    "scalar of the model": (
        lambda api, at: api.call("events.add", {**SCALAR, "task": at["model"], "model_event": True}),
        UPDATE,
    ),
    "set_ready": (on_model("set_ready"), UPDATE),
    "publish_many": (on_model("publish_many", many=True), UPDATE),
}


@pytest.fixture
def at(api: Client, unique: str, project: str) -> Json:
    """Ids of a draft, a model that is not ready, a queue and a project."""
    made = {"name": unique, "project": project, "queue": api.call("queues.create", {"name": unique})["id"]}
    task = {"name": "timed", "type": "training", "project": project}
    model = {"name": "timed", "uri": "file:///timed", "ready": False, "project": project}
    made["task"] = api.call("tasks.create", task)["id"]
    made["model"] = api.call("models.create", model)["id"]
    return made


def moved(api: Client, at: Json, kind: str, step: Step) -> set[str]:
    """The times of an object that a call moves; none of them may go back."""
    names = ["last_change", "last_update", *(["status_changed"] if kind == "task" else [])]

    def read() -> Json:
        return api.call(f"{kind}s.get_all", {"id": [at[kind]], "only_fields": names})[f"{kind}s"][0]

    before = read()
    time.sleep(0.003)
    step(api, at)
    after = read()
    assert all(after.get(name, "9") >= value for name, value in before.items())
    return {name for name in names if before.get(name) != after.get(name)}


@pytest.mark.parametrize("call", TASK_CALLS)
def test_times_of_a_task(api: Client, at: Json, call: str):
    step, times = TASK_CALLS[call]
    assert moved(api, at, "task", step) == times


@pytest.mark.parametrize("call", MODEL_CALLS)
def test_times_of_a_model(api: Client, at: Json, call: str):
    step, times = MODEL_CALLS[call]
    assert moved(api, at, "model", step) == times


PUBLISHING: dict[str, Step] = {
    "publish": on_task("publish", force=True, publish_model=True),
    "publish, publish_model not given": on_task("publish", force=True),
    "publish_many": on_task("publish_many", many=True, force=True),
    "completed with publish": on_task("completed", force=True, publish=True),
}


@pytest.mark.parametrize("call", PUBLISHING)
def test_publishing_a_task_makes_its_models_ready_and_moves_their_times(api: Client, at: Json, call: str):
    attach(api, at)
    assert moved(api, at, "model", PUBLISHING[call]) == UPDATE
    assert api.call("models.get_by_id", {"model": at["model"]})["model"]["ready"] is True


@pytest.mark.parametrize("ready", [True, False])
def test_publishing_a_task_leaves_a_model_that_is_ready_or_not_wanted(api: Client, at: Json, ready: bool):
    attach(api, at)
    api.call("models.edit", {"model": at["model"], "ready": ready})
    assert moved(api, at, "model", on_task("publish", force=True, publish_model=ready)) == set()
    assert api.call("models.get_by_id", {"model": at["model"]})["model"]["ready"] is ready


def attach(api: Client, at: Json) -> None:
    """Make the model an output of the task."""
    body = {"task": at["task"], "type": "output", "name": "out", "model": at["model"]}
    api.call("tasks.add_or_update_model", body)
