"""`triggers.testing`: what users' own tests ask, and the page that shows how."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from triggers import TriggerScheduler, testing
from triggers.base.errors import LaunchImpossible, Usage
from triggers.rules.conditions import matches
from triggers.testing import Fired, Simulation, check, dataset, launch, model, task

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
LOSS = {"trigger_on_metric": "a/b", "trigger_on_variant": "c d", "trigger_on_threshold": 0.5}


@pytest.fixture
def scheduler():
    return TriggerScheduler()


def test_example_of_the_page_runs_without_server_and_redis_and_prints_what_it_says():
    text = PAGE.read_text()
    code, printed = (
        "\n".join(re.findall(r"```python\n(.*?)```", text, re.S)),
        re.findall(r"```text\n(.*?)```", text, re.S),
    )
    loaded = "import sys; assert not {'redis', 'clearml', 'celery'} & set(sys.modules), 'it asks no server'"
    command = [sys.executable, "-c", f"{code}\n{loaded}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": ""})
    assert done.stdout == "".join(printed)


def test_page_names_all_there_is():
    page = PAGE.read_text()
    assert [
        name for name in testing.__all__ if name not in ("Clause", "Fired", "Outcome") and f"{name}" not in page
    ] == []


def test_described_objects_are_found_by_conditions_on_each_of_their_parts(scheduler):
    common = {"trigger_project": "P/Q", "trigger_name": "^n1$", "trigger_on_tags": ["a"], "trigger_on_archive": True}
    described = {"name": "n1", "project": "P/Q", "tags": ["a"], "archived": True}
    scheduler.add_model_trigger("b", "q", name="m", trigger_on_publish=True, **common)
    scheduler.add_dataset_trigger("b", "q", name="d", trigger_on_publish=True, **common)
    scheduler.add_task_trigger("b", "q", name="t", trigger_on_status=["closed"], **common, **LOSS)
    assert check(scheduler, model(**described, published=True)).fires == ["m"]
    assert check(scheduler, dataset(**described, status="published")).fires == ["d"]
    metrics = {("a/b", "c d"): 0.5}
    assert check(scheduler, task(**described, status="closed", metrics=metrics)).fires == ["t"]
    assert check(scheduler, task(status="failed")).failed("t") == [
        "trigger_on_status", "trigger_on_threshold", "trigger_project", "trigger_on_archive", "trigger_on_tags",
        "trigger_name",
    ]  # fmt: skip


def test_a_dataset_is_finalized_by_default_and_a_task_as_well(scheduler):
    scheduler.add_dataset_trigger("b", "q", name="same", trigger_project="P")
    scheduler.add_task_trigger("b", "q", name="same")
    assert check(scheduler, dataset(project="P")).fires == ["dataset:same", "task:same"]
    assert check(scheduler, dataset(project="P", status="in_progress")).failed("dataset:same") == ["finalized"]
    assert check(scheduler, dataset()).failed("dataset:same") == ["trigger_project"]


@pytest.mark.parametrize(("value", "fires"), [(0.5, True), (0.6, False), (math.nan, False), ((9.0, 0.1, 9.0), True)])
def test_metrics_are_one_value_or_latest_minimum_and_maximum(scheduler, value, fires):
    scheduler.add_task_trigger("b", "q", name="t", **LOSS)
    assert bool(check(scheduler, task(metrics={("a/b", "c d"): value})).fires) is fires


def test_development_is_what_exclude_dev_leaves_out(scheduler):
    scheduler.add_task_trigger("b", "q", name="t", trigger_exclude_dev_tasks=True)
    assert check(scheduler, task()).fires == ["t"]
    assert check(scheduler, task(development=True)).failed("t") == ["trigger_exclude_dev_tasks"]


def test_check_decides_as_production_does(scheduler):
    scheduler.add_model_trigger("b", "q", name="m", trigger_on_tags=["a"])
    for event in (model(), model(tags=["a"]), task(tags=["a"])):
        assert bool(check(scheduler, event).fires) is matches(scheduler.declarations[0].trigger, event)


def test_simulation_fires_once_per_object_by_default(scheduler):
    scheduler.add_task_trigger("b", "q", name="t", trigger_on_status=["failed"])
    simulation = Simulation(scheduler)
    seen = [simulation.see(task(id=id_, status="failed")) for id_ in ("t1", "t2", "t1")]
    assert seen == [[Fired("t", "t1", 1)], [Fired("t", "t2", 1)], []]


def test_simulation_of_transitions_fires_again_after_the_condition_was_false(scheduler):
    scheduler.add_task_trigger("b", "q", name="t", trigger_on_tags=["hot"], fire="on_transition")
    simulation = Simulation(scheduler)
    tags = (["hot"], ["hot", "x"], [], ["hot"])
    assert [len(simulation.see(task(tags=some))) for some in tags] == [1, 0, 0, 1]


def test_simulation_of_while_true_waits_the_cooldown(scheduler):
    scheduler.add_task_trigger("b", "q", name="t", trigger_on_tags=["hot"], fire="while_true", cooldown_minutes=5)
    simulation = Simulation(scheduler)
    fired = []
    for minutes in (0, 3, 2, 5):
        simulation.wait(minutes=minutes)
        fired.append(len(simulation.see(task(tags=["hot"]))))
    assert fired == [1, 0, 1, 1]


def test_simulation_refuses_a_time_that_goes_back(scheduler):
    simulation = Simulation(scheduler)
    simulation.see(task(), at="2026-03-01T12:00:00+01:00")
    with pytest.raises(Usage, match="after that of the change before"):
        simulation.see(task(), at="2026-03-01T11:00:00Z")


def test_launch_shows_both_calls(scheduler):
    scheduler.add_model_trigger(
        "b", "q", name="m", task_parameters={"Args/x": "of ${model.id}"}, task_overrides={"script.branch": "dev"}
    )
    request = launch(scheduler, "m", model(id="m7"), base={"tags": ["nightly"], "hyperparams": {"Args": {}}})
    assert request.clone["new_task_hyperparams"]["Args"]["x"]["value"] == "of m7"
    assert request.clone["new_task_tags"] == ["m", "nightly"]
    assert request.edit == {"script": {"branch": "dev"}}


def test_what_is_wrong_is_reported(scheduler):
    scheduler.add_model_trigger(schedule_function=print, name="m")
    with pytest.raises(Usage, match="a status is one of"):
        task(status="flying")
    with pytest.raises(Usage, match="list of strings"):
        model(tags="a")
    with pytest.raises(Usage, match="no trigger 'x'; there are 'm'"):
        check(scheduler, model()).why("x")
    with pytest.raises(Usage, match="looks at a task"):
        launch(scheduler, "m", task())
    with pytest.raises(LaunchImpossible):
        launch(scheduler, "m", model())
    with pytest.raises(Usage, match="never read"):
        launch(scheduler, "m", model(), base={"hyperparameters": {}})
