"""The one rule of names, held against what a ClearML server answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from triggers.base.errors import Usage
from triggers.client.scheduler import TriggerScheduler
from triggers.model.server_names import meant, problem_of_name, problem_of_project

SCENARIOS = Path(__file__).parents[1] / "contract" / "scenarios"
#: Subcodes of refusals that are about the name itself, not about what has it already.
REFUSED = {12, 407, 800}


def recorded(scenario: str, *calls: str) -> list[tuple[str, bool]]:
    """The names that were given, and whether they were refused as such."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in (SCENARIOS / scenario).read_text().splitlines()[1:]]
    return [
        (line["request"]["name"], line["meta"]["result_subcode"] in REFUSED)
        for line in lines
        if line["call"] in calls and "name" in line["request"]
    ]


@pytest.mark.parametrize(("name", "refused"), recorded("names_projects.jsonl", "projects.create"))
def test_projects_are_judged_as_the_server_does(name: str, *, refused: bool) -> None:
    assert bool(problem_of_project(name)) == refused


@pytest.mark.parametrize(
    ("name", "refused"), recorded("names_objects.jsonl", "queues.create", "tasks.create", "models.create")
)
def test_objects_are_judged_as_the_server_does(name: str, *, refused: bool) -> None:
    assert bool(problem_of_name(name)) == refused


def test_the_nearest_known_name_is_offered() -> None:
    assert meant("Prodution", ["production", "staging"]) == "; did you mean 'production'?"
    assert meant("elsewhere", ["production"]) == ""


@pytest.mark.parametrize("name", ["ab", " ab ", "x"])
def test_a_service_task_name_that_the_server_refuses_is_refused_before_it_is_asked(name: str) -> None:
    with pytest.raises(Usage, match=r"force_create_task_name=.*shorter than 3"):
        TriggerScheduler(force_create_task_name=name)
