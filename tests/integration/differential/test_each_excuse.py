"""Every excuse seen to happen, once for each direction: one history, one difference, that row and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.integration.differential.excuses import FEWER, MORE, excused
from tests.integration.differential.pair import Json, Pair

LOSS: Final = {"trigger_on_metric": "loss", "trigger_on_variant": "val"}
Case = tuple[str, str, str, Json, Callable[[Pair], Any]]


def fail(pair: Pair, **fields: Any) -> str:
    task = pair.task(**fields)
    pair.run(task, "started", "failed")
    return task


def measured(value: float) -> Callable[[Pair], None]:
    def script(pair: Pair) -> None:
        task = pair.task()
        pair.run(task, "started")
        pair.scalar(task, value)

    return script


def rename(pair: Pair, project: str, name: str) -> None:
    pair.call("projects.update", project=pair.project(project), name=pair.name(name))


def fail_in_renamed_project(pair: Pair) -> None:
    rename(pair, "P", "renamed")
    fail(pair, project="renamed")


def fail_in_new_project_of_the_name(pair: Pair) -> None:
    rename(pair, "P", "renamed")
    fail(pair, project="P")


def finalize(pair: Pair, *further: str, **fields: Any) -> str:
    dataset = pair.dataset(**fields)
    pair.run(dataset, "started", "completed", *further)
    return dataset


def move_between_datasets(pair: Pair) -> None:
    version = finalize(pair, name="digits")
    pair.poll()
    pair.call("tasks.move", ids=[version], project=pair.project("P/.datasets/letters"))


def archive_plain_task(pair: Pair) -> None:
    task = pair.task()
    pair.run(task, "started", "completed")
    pair.call("tasks.archive_many", ids=[task])


def archive_running_dataset(pair: Pair) -> None:
    version = pair.dataset()
    pair.run(version, "started")
    pair.call("tasks.archive_many", ids=[version])


CASES: Final[list[Case]] = [
    ("more", "tags", "model", {"trigger_on_tags": ["a", "b"]}, lambda pair: pair.model(tags=["a"])),
    (
        "more",
        "tags",
        "task",
        {"trigger_on_tags": ["a"], "trigger_required_tags": ["b"]},
        lambda pair: pair.task(tags=["b"]),
    ),
    ("more", "threshold-zero", "task", {**LOSS, "trigger_on_threshold": 0, "trigger_on_sign": "max"}, measured(-1.0)),
    ("more", "metric-missing", "task", {**LOSS, "trigger_on_threshold": 0.5}, lambda pair: pair.task()),
    ("more", "project-missing", "model", {"trigger_project": "nowhere"}, lambda pair: pair.model(project="Q")),
    ("more", "project-renamed", "task", {"trigger_project": "P"}, fail_in_renamed_project),
    ("fewer", "project-renamed", "task", {"trigger_project": "P"}, fail_in_new_project_of_the_name),
    ("more", "dataset-project", "dataset", {"trigger_project": "P"}, move_between_datasets),
    ("fewer", "dataset-project", "dataset", {"trigger_project": "P"}, lambda pair: finalize(pair, name="later")),
    ("more", "archive", "dataset", {"trigger_on_archive": True}, lambda pair: finalize(pair)),
    ("more", "archive", "dataset", {"trigger_on_archive": True}, archive_plain_task),
    ("fewer", "archive", "dataset", {"trigger_on_archive": True}, archive_running_dataset),
    ("fewer", "dataset-finalized", "dataset", {}, lambda pair: finalize(pair, "publish")),
]


@pytest.mark.parametrize(("direction", "row", "kind", "condition", "script"), CASES)
def test_a_row_is_seen_and_excuses_what_it_should(
    pair: Pair, direction: str, row: str, kind: str, condition: Json, script: Callable[[Pair], Any]
) -> None:
    pair.project("P")
    for name in ("digits", "letters"):
        pair.project(f"P/.datasets/{name}")
    maker = pair.task("maker", "Q")
    pair.run(maker, "started")
    pair.model("made before", "Q", task=maker)
    pair.declare((kind, condition))
    script(pair)
    pair.poll()
    ((rule, object_id),) = pair.differences()
    assert excused(pair.past, rule, object_id) == {row}
    assert (pair.past.theirs > pair.past.ours) is (direction == "more")
    assert pair.past.ours == pair.past.right


def test_every_excuse_is_seen_in_each_direction() -> None:
    cases = {(direction, row) for direction, row, *_ in CASES}
    assert cases == {("more", row) for row in MORE} | {("fewer", row) for row in FEWER}


def test_nothing_is_excused_that_has_no_reason(pair: Pair) -> None:
    pair.declare(("task", {"trigger_on_status": ["failed"]}))
    task = fail(pair)
    pair.poll()
    assert list(pair.differences()) == []
    rule = pair.past.rules["t0"]
    for side in (pair.past.theirs, pair.past.ours):
        side[rule.name, task] += 1
        assert list(pair.differences()) == [(rule, task)]
        assert excused(pair.past, rule, task) == set()
        side[rule.name, task] -= 1
