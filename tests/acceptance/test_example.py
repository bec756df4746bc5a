"""A script of the shape of ClearML's trigger example: a function for each kind, and one import changed."""

from __future__ import annotations

import sys

import pytest

from tests.acceptance.conftest import Desk, eventually

pytestmark = pytest.mark.slow

SCRIPT = """
    from clearml import Model, Task
    from triggers import TriggerScheduler


    def say(*words):
        with open("told.txt", "a") as told:
            print(*words, file=told)


    def trigger_model_func(model_id):
        say("model", model_id, Model(model_id=model_id).name)


    def trigger_dataset_func(dataset_id):
        say("dataset", dataset_id)


    def trigger_task_func(task_id):
        say("task", task_id, Task.get_task(task_id=task_id).name)


    if __name__ == "__main__":
        trigger = TriggerScheduler(pooling_frequency_minutes=1 / 60)
        trigger.add_model_trigger(
            name="model tagged", schedule_function=trigger_model_func, trigger_project="models",
            trigger_on_tags=["deploy"],
        )
        trigger.add_dataset_trigger(
            name="dataset published", schedule_function=trigger_dataset_func, trigger_on_publish=True
        )
        trigger.add_task_trigger(
            name="task completed", schedule_function=trigger_task_func, trigger_project="examples",
            trigger_on_status=["completed"],
        )
        trigger.start()
"""


def test_the_example_runs_with_one_import_changed(desk: Desk) -> None:
    projects = {
        name: desk.call("projects.create", name=name, description="")["id"]
        for name in ("models", "examples", "data/.datasets/digits")
    }
    desk.run(sys.executable, str(desk.write("example.py", SCRIPT)))
    eventually(lambda: desk.sandbox.control.counts().get("models.get_all_ex"), "the first poll: " + desk.output())
    model = desk.call("models.create", uri="file:///m", name="net", project=projects["models"])["id"]
    desk.call("models.update_tags", ids=[model], add_tags=["deploy"])
    ended = {}
    for name, project, tags in (("train", "examples", []), ("digits", "data/.datasets/digits", ["dataset"])):
        ended[name] = desk.call(
            "tasks.create", name=name, type="training", project=projects[project], system_tags=tags
        )["id"]
        desk.call("tasks.started", task=ended[name])
        desk.call("tasks.completed", task=ended[name])
    desk.call("tasks.publish", task=ended["digits"])
    told = desk.folder / "told.txt"
    eventually(lambda: told.exists() and len(told.read_text().splitlines()) == 3, "three calls", told=desk.output)
    assert sorted(told.read_text().splitlines()) == [
        f"dataset {ended['digits']}",
        f"model {model} net",
        f"task {ended['train']} train",
    ]
