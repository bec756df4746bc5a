"""What happens to a scheduler whose workers are killed, frozen or forgotten: each brings other edge calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.crash.processes import eventually
from tests.crash.world import World
from triggers.model import Trigger
from triggers.rules.recovery import RUNNING
from triggers.rules.schedules.zones import utc_text


def _one(world: World) -> list[str]:
    return [world.fail_task()]


def _runs(world: World, object_id: str) -> int:
    return world.runs()[object_id]


@dataclass(frozen=True)
class Scenario:
    """One kind of trigger and one kind of change.

    Args:
        name: shown in the test's name.
        triggers: what is registered.
        change: changes something; the objects that have to fire for it.
        count: how often an object's action was carried out.
        restarts: the worker is killed before the change, so that its start is part of the scenario.
        strays: wait until drafts of void attempts have been looked for.
        exactly: False where at least once is what is promised.
    """

    name: str
    triggers: Callable[[World], list[Trigger]]
    change: Callable[[World], list[str]] = _one
    count: Callable[[World, str], int] = _runs
    restarts: bool = False
    strays: bool = False
    exactly: bool = True


def _plain(world: World) -> list[Trigger]:
    return [world.trigger()]


def _edited(world: World) -> list[Trigger]:
    return [world.trigger(action={"overrides": {"script.branch": "main"}})]


def _single(world: World) -> list[Trigger]:
    return [world.trigger(policy={"single_instance": True, "overlap": "queue"})]


def _three(world: World) -> list[str]:
    ids = [world.create_task() for _ in range(3)]
    for id_ in ids:
        world.call("tasks.started", task=id_)
    for id_ in ids:
        world.call("tasks.failed", task=id_)
    return ids


def _model(world: World) -> list[str]:
    id_ = world.call("models.create", uri="s3://b/m", name="model", project=world.project)["id"]
    world.call("models.publish_many", ids=[id_])
    return [str(id_)]


def _model_of_task(world: World) -> list[str]:
    task = world.create_task()
    id_ = world.call("models.create", uri="s3://b/m", name="model", project=world.project, task=task)["id"]
    world.call("tasks.add_or_update_model", task=task, name="m", type="output", model=id_)
    for step in ("started", "stopped"):
        world.call(f"tasks.{step}", task=task)
    world.call("tasks.publish", task=task, publish_model=True)
    return [str(id_)]


def _reused(world: World) -> list[str]:
    def is_free() -> bool:
        (base,) = world.call("tasks.get_all", id=[world.base], only_fields=["status"])["tasks"]
        return base["status"] not in RUNNING

    eventually(is_free, "the base task ends")
    return [world.fail_task()]


def _runs_of_base(world: World, object_id: str) -> int:
    """All changes share the base task: 1 if it ran as often as it was launched."""
    launches = sum(entry.what == "launched" for entry in world.ledger.history.read(count=100_000))
    return 1 + world.runs()[world.base] - launches


def _elsewhere(world: World) -> list[str]:
    """A target project that has to be made, and a base task that is asked for."""
    number = len(world.call("projects.get_all", name=f"^{world.name}/")["projects"])
    action = {"query": {"project": world.name, "name": "base task"}, "target_project": f"{world.name}/target {number}"}
    world.register(world.trigger(action=action))
    return [world.fail_task()]


def _after(*faults: tuple[str, str, dict[str, object]]) -> Callable[[World], list[str]]:
    def change(world: World) -> list[str]:
        for kind, endpoint, options in faults:
            world.fault(kind, endpoint, **{"times": 1, **options})
        return [world.fail_task()]

    return change


def _held(world: World) -> list[str]:
    """A pause, ended once the firing waits."""
    _pause(world, True)
    failed = world.fail_task()
    eventually(lambda: any(entry.what == "held" for entry in world.history(failed)), "the firing is held")
    _pause(world, False)
    return [failed]


def _pause(world: World, paused: bool) -> None:
    from dataclasses import replace

    (trigger,) = world.registered
    world.ledger.registry.edit(lambda known, _: {trigger.id: replace(known.entries[trigger.id], paused=paused)})


def _function(world: World) -> list[Trigger]:
    return [world.trigger(action={"type": "function", "reference": "tests.crash.functions:note", "name": "note"})]


#: Between two times of the schedule, seconds.
EVERY = 3


def _schedule(world: World) -> list[Trigger]:
    return [world.trigger("schedule", trigger_project=None, cron=f"*/{EVERY} * * * * *")]


def _times(world: World) -> list[str]:
    """All times so far, and the next: none is missing, and none is doubled, whatever happened before."""
    (entry,) = world.ledger.registry.snapshot().active
    first, next_ = entry.since_ms // 1000 // EVERY + 1, int(time.time()) // EVERY + 1
    return [utc_text(number * EVERY * 1000) for number in range(first, next_ + 1)]


_AFTER, _BEFORE = {"when": "after"}, {"when": "before"}

SCENARIOS = (
    Scenario("clone", _plain),
    Scenario("edit", _edited),
    Scenario("three at once", _plain, _three),
    Scenario("start", _plain, restarts=True),
    Scenario("model", lambda world: [world.trigger("model", trigger_on_publish=True)], _model),
    Scenario("model of task", lambda world: [world.trigger("model", trigger_on_publish=True)], _model_of_task),
    Scenario("single instance", _single, _three),
    Scenario("reuse", lambda world: [world.trigger(action={"reuse_task": True})], _reused, _runs_of_base),
    Scenario("target project", _plain, _elsewhere),
    Scenario("pause", _plain, _held),
    Scenario("function", _function, count=lambda world, id_: world.calls()[id_], exactly=False),
    Scenario("schedule", _schedule, _times),
    Scenario("enqueue not sent", _plain, _after(("drop", "tasks.enqueue", _BEFORE)), strays=True),
    Scenario("clone without reply", _plain, _after(("drop", "tasks.clone", _AFTER)), strays=True),
    Scenario("edit without reply", _edited, _after(("drop", "tasks.edit", _AFTER)), strays=True),
    Scenario(
        "delete without reply",
        _plain,
        _after(("html", "tasks.enqueue", _BEFORE), ("drop", "tasks.delete", _AFTER)),
        strays=True,
    ),
    Scenario(
        "slow server",
        _plain,
        _after(*[("delay", name, {"seconds": 0.9}) for name in ("tasks.clone", "tasks.get_all_ex")]),
    ),
)
