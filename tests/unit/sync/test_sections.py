from __future__ import annotations

import json
from typing import Any

import pytest

from triggers.model import Trigger, make_trigger
from triggers.model.original import from_original
from triggers.sync import sections
from triggers.sync.sections import as_written, read_section, write_section

BASE = "b" * 32


def item(**fields: object) -> dict[str, object]:
    return {"name": "one", "base_task_id": BASE, "queue": "default"} | fields


def made(name: str = "one", **fields: object) -> Trigger:
    action = fields.pop("action", {"type": "task", "base_task_id": BASE, "queue": "default", "tag": "x"})
    return make_trigger("task", name=name, action=action, trigger_on_status=["failed"], **fields)


@pytest.mark.parametrize(
    "trigger",
    [
        made(),
        made(trigger_project="P/Q", policy={"single_instance": True, "overlap": "queue"}, provenance=False),
        made(trigger_on_metric="m", trigger_on_variant="v", trigger_on_threshold=0.0, trigger_on_sign="max"),
        made(action={"type": "function", "name": "m.f"}),
    ],
)
def test_what_is_written_is_read_again(trigger: Trigger) -> None:
    text = write_section([trigger], {"P/Q": "a" * 32})
    section = read_section("task", text, {"P/Q": "a" * 32}, [trigger])
    assert section.problems == section.warnings == ()
    assert section.triggers == {trigger.id: as_written(trigger)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[{]", "section 'tasks' is not JSON"),
        ('{"name": 1}', "section 'tasks' is a list of triggers, and this is a dict"),
        ("[1]", "entry number 1: every item must be a dictionary"),
        (json.dumps([item(on_status=["faild"])]), "entry 'one': on_status=['faild']: unknown status 'faild'"),
        (json.dumps([item(tags="a")]), "entry 'one': tags='a': give a list of strings"),
        (json.dumps([item(match_name="(")]), "entry 'one': match_name='(': not a regular expression"),
        (json.dumps([item(queue=None)]), "entry 'one': queue=None: give the name or id of the queue"),
        (json.dumps([item(single_instance="yes")]), "entry 'one': single_instance='yes': give True"),
        (json.dumps([item(), item()]), "entry 'one': name='one': another entry has the same name"),
        (json.dumps([{"name": "f"}]), "entry 'f': base_task_id=None: without a task an entry calls a function"),
        (json.dumps([{"queue": "q"}]), "entry number 1: name=None: give the trigger a name"),
    ],
)
def test_a_problem_names_section_entry_field_and_value(text: str, says: str) -> None:
    section = read_section("task", text, {}, [])
    assert len(section.problems) == 1
    assert says in section.problems[0]


def test_what_is_unknown_is_reported_and_has_no_effect() -> None:
    section = read_section("task", json.dumps([item(on_statuses=["failed"], _private=1)]), {}, [])
    assert section.problems == ()
    assert section.warnings == (
        "configuration section 'tasks', entry 'one': on_statuses=['failed']: unknown, ignored; "
        "did you mean 'on_status'?",
    )


def test_a_function_is_named_by_scripts_only() -> None:
    declared = made("f", action={"type": "function", "name": "m.f", "reference": "m:f"})
    text = json.dumps([{"name": "f", "function_reference": "os:system", "on_status": ["failed"]}])
    (problem,) = read_section("task", text, {}, [declared]).problems
    assert "function_reference='os:system'" in problem


@pytest.mark.parametrize(
    ("project", "name", "wants"),
    [("a" * 32, "New", {"trigger_project": "New"}), ("c" * 32, "Old", {"project_id": "c" * 32})],
)
def test_of_the_two_fields_of_a_project_the_edited_one_counts(project: str, name: str, wants: dict[str, str]) -> None:
    text = json.dumps([item(project=project, trigger_project=name)])
    (trigger,) = read_section("task", text, {"Old": "a" * 32}, []).triggers.values()
    assert {key: getattr(trigger, key) for key in wants} == wants


def test_the_originals_several_entries_of_one_name_are_all_kept() -> None:
    items = [item(project=character * 32, last_update=None) for character in "abc"]
    section = read_section("dataset", json.dumps(items), {}, [])
    assert section.problems == ()
    assert list(section.triggers) == ["dataset:one", "dataset:one-2", "dataset:one-3"]
    assert [trigger.project_id for trigger in section.triggers.values()] == ["a" * 32, "b" * 32, "c" * 32]


def test_of_a_large_section_only_what_a_person_changed_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    triggers = {f"task:t{n}": made(f"t{n}", trigger_project="P/Q") for n in range(500)}
    items = json.loads(write_section(triggers.values(), {"P/Q": "a" * 32}))
    items[7]["on_status"] = ["completed"]
    validated: list[object] = []
    monkeypatch.setattr(
        sections, "from_original", lambda kind, item: [validated.append(item), from_original(kind, item)][1]
    )
    section = read_section("task", json.dumps(items), {"P/Q": "a" * 32}, triggers.values(), triggers)
    assert validated == [items[7]]
    assert section.same == set(triggers) - {"task:t7"}
    assert section.triggers["task:t7"].trigger_on_status == ("completed",)
    assert list(section.triggers) == list(triggers)


@pytest.mark.parametrize(
    "text", ["[]", " [ ] ", "[{]", "[1, 2]", "[1, 2", "[1,]", "[] x", "1", "", "\ufeff[]", "[1 2]"]
)
def test_any_text_is_read_as_without_what_is_registered(text: str) -> None:
    assert read_section("task", text, {}, [], {"task:one": made()}) == read_section("task", text, {}, [])


@pytest.mark.parametrize("other", [{}, {"name": " one"}, {"name": None, "base_task_id": "one"}])
def test_an_entry_of_the_same_name_beside_one_that_is_unchanged_is_a_problem(other: dict[str, object]) -> None:
    (unchanged,) = json.loads(write_section([made()], {}))
    for items in ([unchanged, item(**other)], [item(**other), unchanged]):
        with_it = read_section("task", json.dumps(items), {}, [made()], {"task:one": made()})
        assert with_it.problems == read_section("task", json.dumps(items), {}, [made()]).problems


SCHEDULE = {"name": "n", "base_task_id": "base", "queue": "q", "minute": 5}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"starting_time": "soon"}, "starting_time='soon': give a time in ISO 8601"),
        ({"starting_time": 5}, "starting_time=5: give a time in ISO 8601"),
        ({"starting_time": ["2026-01-01"]}, "give a time in ISO 8601"),
        ({"minute": "30"}, "minute='30': give a whole number"),
        ({"weekdays": ["Monday"]}, "did you mean 'monday'"),
        ({"exclude": "holidays.ics"}, "exclude='holidays.ics': give a list of dates"),
        ({"timezone": "Europe/Berlim"}, "did you mean 'Europe/Berlin'"),
        ({"every": "90m"}, "every='90m': cannot be combined with minute"),
        ({"execution_limit_hours": -1}, "-1: give a number of hours, more than 0"),
    ],
)
def test_what_is_wrong_in_a_schedule_is_reported_and_ends_no_sync(said: dict[str, Any], says: str) -> None:
    section = read_section("schedule", json.dumps([SCHEDULE | said, SCHEDULE | {"name": "other"}]), {}, [])
    assert list(section.triggers) == ["schedule:other"]
    (problem,) = section.problems
    assert problem.startswith("configuration section 'schedule', entry 'n': ")
    assert says in problem


def test_an_unknown_key_of_a_schedule_and_a_limit_of_zero_as_the_original_has_it() -> None:
    items = [SCHEDULE | {"crom": "@daily", "execution_limit_hours": 0}]
    section = read_section("schedule", json.dumps(items), {}, [])
    assert section.triggers["schedule:n"].policy.limit_execution_time is None
    assert section.warnings == (
        "configuration section 'schedule', entry 'n': crom='@daily': unknown, ignored; did you mean 'cron'?",
    )
