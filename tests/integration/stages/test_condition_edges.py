"""Conditions at their edges, from a change on the server through every stage to the launch."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
import requests

from tests.integration.stages.conftest import World
from triggers.ledger.history.history import HistoryEntry
from triggers.model.values import STATUSES

NAMES = ["val loss", "a/b", "c.d", "żółć", "$where", "x\ny", "  ", "%2E", "{}", "名前", "l" * 500]


def fired(world: World) -> dict[str, list[str]]:
    """Objects by the name of the trigger that they fired."""
    found: dict[str, list[str]] = {}
    entries: list[HistoryEntry] = world.history("launched")
    for entry in entries:
        found.setdefault(entry.trigger.partition(":")[2], []).append(entry.object)
    return found


def report(world: World, task: str, value: float, title: str = "loss", variant: str = "val") -> None:
    """Report a scalar as the SDK does: its JSON knows NaN and infinities, that of `requests` refuses them."""
    event = {"type": "training_stats_scalar", "task": task, "iter": 1, "metric": title, "variant": variant}
    answer = requests.post(
        f"{world.sandbox.url}/events.add",
        data=json.dumps({**event, "value": value}),
        headers={"Content-Type": "application/json"},
        auth=(world.sandbox.access_key, world.sandbox.secret_key),
        timeout=60,
    )
    assert answer.status_code == 200, answer.text


def measured(world: World, *values: float) -> str:
    task = world.create_task()
    world.call("tasks.started", task=task)
    for value in values:
        report(world, task, value)
    return task


def threshold(world: World, name: str, bound: float, sign: str | None = None, **more: Any) -> Any:
    fields = {"trigger_on_metric": "loss", "trigger_on_variant": "val"} | more
    return world.trigger(name=name, trigger_on_threshold=bound, trigger_on_sign=sign, **fields)


def test_every_status_fires_the_trigger_on_it_and_no_other(world: World) -> None:
    world.declare(*(world.trigger(name=status, trigger_on_status=[status]) for status in STATUSES))
    tasks = {status: world.create_task(status) for status in STATUSES}
    for status, task in tasks.items():
        if status != "created":
            world.call("tasks.edit", task=task, status=status, force=True)
    world.step()
    mine = set(tasks.values())
    seen = {name: [id_ for id_ in ids if id_ in mine] for name, ids in fired(world).items()}
    assert seen == {status: [task] for status, task in tasks.items()}


def test_metrics_of_any_name_are_told_apart(world: World) -> None:
    world.declare(
        *(threshold(world, name, 0, "max", trigger_on_metric=name, trigger_on_variant=name[::-1]) for name in NAMES)
    )
    tasks = {name: world.create_task() for name in NAMES}
    for name, task in tasks.items():
        world.call("tasks.started", task=task)
        report(world, task, 1.0, name, name[::-1])
        report(world, task, 1.0, name + "x", name[::-1])
    world.step()
    assert fired(world) == {name: [task] for name, task in tasks.items()}


@pytest.mark.parametrize(
    ("sign", "bound", "values", "fires"),
    [
        ("max", 0.1, [0.1], True),
        ("max", 0.1, [math.nextafter(0.1, 0)], False),
        ("min", 0.1, [0.1], True),
        ("min", 0.1, [math.nextafter(0.1, 1)], False),
        (None, 0, [0.0], True),
        (None, 0, [-0.0], True),
        (None, 0, [5e-324], False),
        ("max", 0, [-1.0, -2.0], False),
        ("max", -1, [-1.0, -2.0], True),
        ("min", -1.5, [-1.0, -2.0], True),
        ("max", 1e308, [1.7e308], True),
        ("max", 1, [math.nan], False),
        ("min", 1, [math.nan], False),
        ("max", 1, [math.inf], True),
        ("max", 1, [-math.inf], False),
        ("min", 1, [-math.inf], True),
        ("min", 1, [math.inf], False),
        ("max", math.inf, [math.inf], True),
        ("max", math.inf, [1.7e308], False),
        ("min", -math.inf, [0.0], False),
        ("min", 0.5, [], False),
        ("max", 0.5, [], False),
        ("max", 2**53, [float(2**53)], True),
    ],
)
def test_thresholds_at_their_edges(
    world: World, sign: str | None, bound: float, values: list[float], fires: bool
) -> None:
    world.declare(threshold(world, "t", bound, sign))
    task = measured(world, *values)
    world.step()
    assert fired(world) == ({"t": [task]} if fires else {})


def test_nan_stops_neither_its_task_nor_the_others(world: World) -> None:
    world.declare(threshold(world, "high", 1, "max"), world.trigger(name="any", trigger_on_status=["in_progress"]))
    odd, plain = measured(world, math.nan, math.inf), measured(world, 2.0)
    world.step()
    assert set(fired(world)["any"]) == {odd, plain}
    assert plain in fired(world)["high"]


def test_the_latest_value_comes_back_and_fires_again(world: World) -> None:
    policy = {"fire": "on_transition"}
    world.declare(threshold(world, "t", 1, "last", trigger_on_direction="above", policy=policy))
    task = measured(world)
    for value in (2.0, 3.0, 0.5, 1.0):
        report(world, task, value)
        world.step()
    assert fired(world) == {"t": [task, task]}


def test_exclude_dev_wants_what_an_agent_runs(world: World) -> None:
    world.declare(world.trigger(name="t", trigger_on_status=["failed"], trigger_exclude_dev_tasks=True))
    by_hand = world.fail_task(system_tags=["development"])
    by_agent = world.fail_task()
    world.step()
    assert fired(world) == {"t": [by_agent]}
    assert by_hand != by_agent


def test_an_expression_that_backtracks_without_end_stalls_no_worker(world: World) -> None:
    """Many names, each of which would take longer than the universe has; the trigger beside it goes on."""
    world.declare(
        world.trigger(name="slow", trigger_name="^(a|aa)+$"), world.trigger(name="plain", trigger_on_tags=["x"])
    )
    tasks = [world.create_task("a" * (60 + n) + "!", tags=["x"]) for n in range(30)]
    started = time.process_time()
    world.step()
    assert time.process_time() - started < 5
    assert {name: set(ids) for name, ids in fired(world).items()} == {"plain": set(tasks)}


def test_names_of_ten_thousand_characters_and_thousands_of_tags(world: World) -> None:
    tags = [f"tag {n} żółć" for n in range(2_000)]
    world.declare(
        world.trigger(name="name", trigger_name="end$"),
        world.trigger(name="all", trigger_on_tags=tags[::7]),
        world.trigger(name="one missing", trigger_on_tags=[*tags[::7], "missing"]),
        world.trigger(name="excluded", trigger_exclude_tags=[tags[-1]], trigger_on_any_tags=tags),
    )
    task = world.create_task("x" * 10_000 + "end", tags=tags)
    world.step()
    assert fired(world) == {"name": [task], "all": [task]}
    clones = [json.loads(clone["configuration"]["trigger"]["value"]) for clone in world.clones()]
    assert {len(told["object_name"]) for told in clones} == {10_003}


@pytest.mark.parametrize("kind", ["task", "model"])
def test_an_object_deleted_between_poll_and_dispatch_launches_once_with_its_id(world: World, kind: str) -> None:
    action = {"parameters": {"Args/of": f"${{{kind}.id}}"}}
    world.declare(world.trigger(kind, trigger_on_tags=["x"], action=action))
    if kind == "task":
        id_ = world.create_task(tags=["x"])
    else:
        id_ = world.call("models.create", name="net", uri="file:///m", tags=["x"])["id"]
    world.poll()
    world.call(f"{kind}s.delete", **{kind: id_}, force=True)
    world.settle()
    world.step()
    (clone,) = world.clones()
    assert (clone["hyperparams"]["Args"]["of"]["value"], clone["status"]) == (id_, "queued")


def test_an_object_deleted_before_the_poll_is_no_event(world: World) -> None:
    world.declare(world.trigger())
    world.call("tasks.delete", task=world.fail_task(), force=True)
    world.step()
    assert world.clones() == []


def test_a_project_deleted_between_poll_and_dispatch_changes_nothing(world: World) -> None:
    home = world.call("projects.create", name="Short lived", description="")["id"]
    world.declare(world.trigger(trigger_project="Short lived", trigger_on_status=["failed"]))
    world.fail_task(project=home)
    world.poll()
    world.call("projects.delete", project=home, force=True)
    world.settle()
    assert len(world.clones()) == 1


def test_a_user_is_known_by_name_and_id(world: World) -> None:
    user = world.call("users.get_current_user")["user"]
    wanted = {"by name": user["name"], "by id": user["id"], "another": "somebody else"}
    world.declare(*(world.trigger(name=name, trigger_on_user=[one]) for name, one in wanted.items()))
    world.poll()
    failed = world.fail_task()
    world.poll()
    world.settle()
    assert fired(world) == {"by name": [failed], "by id": [failed]}
