"""Which objects a condition picks, beside what the original's query picks on the same server.

Each case names the objects; where the two differ it is a row of DESIGN's table of meanings.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from clearml.automation import trigger as sdk

from tests.servers import running
from triggers.actions.clearml_task import TaskAction
from triggers.model import make_trigger
from triggers.model.events import decode_model, decode_task
from triggers.model.original import to_original
from triggers.rules.conditions import matches

ORIGINALS = {"model": sdk.ModelTrigger, "dataset": sdk.DatasetTrigger, "task": sdk.TaskTrigger}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
METRIC = {"trigger_on_metric": "loss", "trigger_on_variant": "val"}


@pytest.fixture(scope="module")
def world():
    """A server with one object of each sort, and everything on it as events."""
    for server in running():
        server.control.reset()
        world = World(server.client().call)
        world.populate()
        yield world


class World:
    def __init__(self, call):
        self.call, self.names, self.projects = call, {}, {}

    def populate(self):
        self.task("t-draft")
        self.task("t-tags a", tags=["a"])
        self.task("t-tags ab", tags=["a", "b"])
        self.task("t-elsewhere", project="Audio")
        self.task("t-below", project="Vision/Sub")
        self.task("t-failed", "failed")
        self.task("t-dev", "failed", system_tags=["development"])
        self.task("t-completed", "completed")
        self.task("t-published", "completed", "publish")
        self.task("t-archived", "completed", system_tags=["archived"])
        self.task("t-low", loss=[0.0, 5.0])
        self.task("t-high", loss=[0.7])
        hidden = {"type": "data_processing", "project": "Vision/.datasets/digits"}
        self.task("d-running", "started", system_tags=["dataset"], **hidden)
        self.task("d-final", "completed", system_tags=["dataset"], **hidden)
        self.task("d-published", "completed", "publish", system_tags=["dataset"], **hidden)
        self.task("d-archived", "completed", system_tags=["dataset", "archived"], **hidden)
        self.model("m-draft", ready=False)
        self.model("m-ready", ready=True)
        self.model("m-tags a", ready=False, tags=["a"])
        self.model("m-tags ab", ready=False, tags=["a", "b"])
        self.call("models.archive_many", {"ids": [self.model("m-archived", ready=False)]})

    def project(self, name):
        if name not in self.projects:
            self.projects[name] = self.call("projects.create", {"name": name, "description": ""})["id"]
        return self.projects[name]

    def task(self, name, *steps, project="Vision", loss=(), **fields):
        body = {"name": name, "type": "training", "project": self.project(project), **fields}
        task = self.call("tasks.create", body)["id"]
        self.names[task] = name
        for step in [*(["started"] if steps else []), *steps]:
            self.call(f"tasks.{step}", {"task": task})
        for n, value in enumerate(loss):
            scalar = {"type": "training_stats_scalar", "task": task, "iter": n, "metric": "loss", "variant": "val"}
            self.call("events.add", {**scalar, "value": value})

    def model(self, name, **fields):
        body = {"name": name, "uri": f"file:///{name}", "project": self.project("Vision"), **fields}
        model = self.call("models.create", body)["id"]
        self.names[model] = name
        return model

    def ours(self, trigger):
        fields = ["name", "project.name", "tags", "system_tags", "last_change"]
        tasks = self.call("tasks.get_all_ex", {"only_fields": [*fields, "status", "type", "last_metrics"]})["tasks"]
        models = self.call("models.get_all_ex", {"only_fields": [*fields, "ready"]})["models"]
        events = [decode_task(item) for item in tasks] + [decode_model(item) for item in models]
        return {event.name for event in events if matches(trigger, event)}

    def originals(self, trigger):
        cls = ORIGINALS[trigger.kind]
        hidden = "/.datasets/digits" if trigger.kind == "dataset" else ""
        item = to_original(trigger, self.projects.get(f"{trigger.trigger_project}{hidden}"))
        names = {field.name for field in cls.__attrs_attrs__ if field.init}
        theirs = cls(**{key: value for key, value in item.items() if key in names})
        query = json.loads(json.dumps(theirs.build_query(EPOCH)))
        found = self.call(f"{theirs.get_key()}.get_all", {**query, "only_fields": ["id"]})[theirs.get_key()]
        return {self.names[one["id"]] for one in found}


TASKS = {
    "t-draft", "t-tags a", "t-tags ab", "t-elsewhere", "t-below", "t-failed", "t-dev", "t-completed", "t-published",
    "t-archived", "t-low", "t-high",
}  # fmt: skip
DATASETS = {"d-running", "d-final", "d-published", "d-archived"}
MODELS = {"m-draft", "m-ready", "m-tags a", "m-tags ab", "m-archived"}


def threshold(value, sign=None):
    return {**METRIC, "trigger_on_threshold": value, "trigger_on_sign": sign}


@pytest.mark.parametrize(
    ("kind", "condition", "picked", "only_original"),
    [
        ("task", {}, TASKS | DATASETS, set()),
        ("task", {"trigger_project": "Vision"}, TASKS - {"t-elsewhere", "t-below"}, set()),
        ("task", {"trigger_project": "Vision/Sub"}, {"t-below"}, set()),
        ("task", {"trigger_name": "^t-t.*b$"}, {"t-tags ab"}, set()),
        ("task", {"trigger_name": "(?i)-LOW|high"}, {"t-low", "t-high"}, set()),
        ("task", {"trigger_name": "ELSE"}, set(), set()),
        ("task", {"trigger_on_tags": ["a"]}, {"t-tags a", "t-tags ab"}, set()),
        ("task", {"trigger_on_tags": ["a", "b"]}, {"t-tags ab"}, {"t-tags a"}),
        ("task", {"trigger_on_tags": ["a"], "trigger_required_tags": ["b"]}, {"t-tags ab"}, {"t-tags a"}),
        ("task", {"trigger_on_status": ["failed"]}, {"t-failed", "t-dev"}, set()),
        (
            "task",
            {"trigger_on_status": ["published", "in_progress"]},
            {"t-published", "d-running", "d-published"},
            set(),
        ),
        ("task", {"trigger_on_status": ["failed"], "trigger_exclude_dev_tasks": True}, {"t-failed"}, set()),
        ("task", threshold(0.7, "max"), {"t-low", "t-high"}, set()),
        ("task", threshold(5, "maximum"), {"t-low"}, set()),
        ("task", threshold(5.01, "max"), set(), set()),
        # the original also picks what has no such metric
        ("task", threshold(0.7, "min"), {"t-low", "t-high"}, (TASKS | DATASETS) - {"t-low", "t-high"}),
        ("task", threshold(0.1), {"t-low"}, (TASKS | DATASETS) - {"t-low", "t-high"}),
        # and takes a threshold of zero for none
        ("task", threshold(0), {"t-low"}, (TASKS | DATASETS) - {"t-low"}),
        ("task", threshold(0, "max"), {"t-low", "t-high"}, (TASKS | DATASETS) - {"t-low", "t-high"}),
        ("model", {}, MODELS, set()),
        ("model", {"trigger_project": "Vision", "trigger_on_publish": True}, {"m-ready"}, set()),
        ("model", {"trigger_on_archive": True}, {"m-archived"}, set()),
        ("model", {"trigger_on_tags": ["b"]}, {"m-tags ab"}, set()),
        ("model", {"trigger_on_tags": ["a", "b"]}, {"m-tags ab"}, {"m-tags a"}),
        ("dataset", {"trigger_on_publish": True}, {"d-published"}, set()),
        # the original asks for any of the tags, so that it picks live datasets and archived plain tasks
        ("dataset", {"trigger_on_archive": True}, {"d-archived"}, {"d-final", "t-archived"}),
    ],
)
def test_picked_as_the_original_does_but_where_it_differs(world, kind, condition, picked, only_original):
    trigger = make_trigger(kind, name="t", action=TaskAction(base_task_id="b", queue="q"), **condition)
    assert world.ours(trigger) == picked
    assert world.originals(trigger) == picked | only_original


@pytest.mark.parametrize("condition", [{}, {"trigger_project": "Vision"}])
def test_finalized_datasets_are_picked_also_when_published_meanwhile(world, condition):
    trigger = make_trigger("dataset", name="t", action=TaskAction(base_task_id="b", queue="q"), **condition)
    assert world.ours(trigger) == {"d-final", "d-published", "d-archived"}
    assert world.originals(trigger) == {"d-final", "d-archived"}
