"""Configuration sections that somebody has damaged: what runs stays as it is, and every problem is named."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.service.conftest import ServiceWorld, service_world
from tests.property.ledger.profile import profile
from tests.property.robustness.mutations import DAMAGE, Damage
from triggers.base.errors import Unreadable
from triggers.model.kinds import Kind
from triggers.model.original import SECTIONS
from triggers.sync.configure import read_stored
from triggers.sync.originals import read_state
from triggers.sync.sections import read_section, write_section

__all__ = ["service_world"]

ENTRY = {
    "name": "one", "base_task_id": "b" * 32, "queue": "default", "project": "p" * 32, "trigger_project": "P",
    "match_name": "^x", "tags": ["a", "b"], "required_tags": ["c"], "on_publish": None, "on_archive": None,
    "metrics": "m", "variant": "v", "threshold": 0.5, "value_sign": "max", "exclude_dev": None, "on_status": ["failed"],
    "single_instance": False, "task_parameters": {"Args/a": "${task.id}"}, "task_overrides": {"comment": "x"},
    "clone_task": True, "add_tag": "t", "last_update": None, "fire": "while_true", "cooldown_minutes": 5,
    "schedule_task_query": None, "max_per_minute": 7, "overlap": "skip", "owner": "o", "provenance": True,
}  # fmt: skip
SECTION = [ENTRY, {"name": "two", "base_task_id": "b" * 32, "queue": "default"}]
STATE = {
    "model_triggers": [],
    "dataset_triggers": None,
    "task_triggers": [
        {
            "name": "one",
            "last_update": "2026-01-31T12:00:00.123000+00:00",
            "_triggered_instances": {"t": "2026-01-31T12:00:00"},
            "_executed_instances": ["a" * 32, "140", None],
        }
    ],
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@given(damage=DAMAGE, kind=st.sampled_from(list(SECTIONS)))
@profile(400)
def test_a_damaged_section_is_read_or_every_problem_names_section_entry_field_and_value(
    damage: Damage, kind: Kind
) -> None:
    text = damage.of(SECTION)
    section = read_section(kind, text, {"P": "p" * 32}, [])
    for problem in section.problems:
        assert problem.startswith(f"configuration section {SECTIONS[kind]!r}")
        whole = (
            "is not JSON" in problem
            or "is a list of triggers" in problem
            or "every item must be a dictionary" in problem
        )
        assert whole or (", entry " in problem and "=" in problem), problem
    if not section.problems:
        again = read_section(kind, write_section(section.triggers.values(), {}), {}, section.triggers.values())
        assert again.problems == ()
        assert list(again.triggers) == list(section.triggers)


@given(damage=DAMAGE)
@profile(300)
def test_a_damaged_section_is_read_the_same_whatever_is_registered(damage: Damage) -> None:
    standing = read_section("task", json.dumps(SECTION), {}, []).triggers
    written = json.loads(write_section(standing.values(), {}))
    text, ids = damage.of(written), {"P": "p" * 32}
    short, whole = (read_section("task", text, ids, standing.values(), of) for of in (standing, None))
    assert (short.problems, short.warnings) == (whole.problems, whole.warnings)
    assert list(short.digests().items()) == list(whole.digests().items())


@given(damage=DAMAGE)
@profile(100)
def test_an_agents_start_goes_by_the_script_where_a_section_is_damaged(damage: Damage) -> None:
    declared = list(read_section("task", json.dumps(SECTION), {}, []).triggers.values())
    text = damage.of(SECTION)
    triggers, problems = read_stored({"tasks": text, "models": "[]"}, declared)
    if problems:
        assert triggers == declared


@given(damage=DAMAGE)
@profile(200)
def test_a_damaged_state_of_the_original_is_read_or_refused(damage: Damage) -> None:
    try:
        read_state(damage.of(STATE))
    except Unreadable:
        return


@given(damage=DAMAGE)
@profile(20)
def test_running_triggers_stay_as_they_are_while_a_section_is_damaged(
    service_world: ServiceWorld, damage: Damage
) -> None:
    world = service_world
    keys = world.ledger.keys
    world.ledger.store.client.delete(keys.sync, keys.registry, keys.registry_version)
    world.declare(world.trigger(name="one"), world.trigger(name="two", trigger_on_tags=["x"]))
    world.edit_section("task", "[]")  # what the last example left there may be beyond reading
    world.sync()
    before = {entry.trigger.id: entry for entry in world.ledger.registry.snapshot().active}
    text = damage.of(world.section("task"))
    world.edit_section("task", text.encode("utf-8", "replace").decode())
    done = world.sync()
    section = read_section("task", text, {}, [])
    after = {entry.trigger.id: entry for entry in world.ledger.registry.snapshot().active}
    if section.problems:
        assert after == before
        said = world.console()
        assert any(line.startswith(section.problems[0][:60].split("\n")[0].strip()) for line in said), section.problems
    else:
        assert set(after) == set(section.triggers), (text, done, world.console()[-3:])
