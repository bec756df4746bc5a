"""A scheduler in the middle of a working day: something of everything that pages show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.integration.stages.conftest import World
from triggers.configuration.difference import apply
from triggers.operate import changes, muting
from triggers.operate.target import open_target


@dataclass(frozen=True)
class Scene:
    """What there is to look at, by its id or key."""

    world: World
    failed_task: str
    launched_task: str
    next_task: str
    launched: str
    held: str
    dead: str
    failing: str
    slot: str


def play(world: World) -> Scene:
    """Launch, hold, fail, give up, skip, pause and mute."""
    given_up = world.context(max_attempts=1)
    world.declare(*_triggers(world))
    world.step()
    first = world.fail_task(name="train resnet50, fold 3", tags=["training"])
    world.step()
    (launched,) = world.history("launched")
    # what was launched fails in turn, and another trigger answers to that
    world.call("tasks.edit", task=launched.task, tags=["report"], force=True)
    world.call("tasks.started", task=launched.task)
    world.call("tasks.failed", task=launched.task)
    world.step()
    (second,) = [one for one in world.history("launched") if one.object == launched.task]
    for number in (4, 5, 6):
        world.tick()
        world.fail_task(name=f"train resnet50, fold {number}", tags=["training", "single"])
        world.step()
    held = world.history("held")[0]
    for number in (1, 2, 3):
        world.tick()
        world.fail_task(name=f"preprocess {number}", tags=["lost"])
        world.step(given_up)
    world.tick()
    world.fail_task(name="preprocess 4", tags=["lost"])
    world.step()
    _people(world)
    return Scene(
        world,
        first,
        launched.task,
        second.task,
        launched.firing,
        held.firing,
        world.history("dead")[0].firing,
        world.history("failed")[-1].firing,
        sorted(world.ledger.by_hand.slots())[0],
    )


def _triggers(world: World) -> list[Any]:
    comment = {"type": "comment", "text": "retried by ${trigger.name}"}
    several = [comment, {"type": "tag", "add": ["retried"], "on": "launched"}]
    return [
        world.trigger(name="retry failed training", trigger_on_status=["failed"], trigger_required_tags=["training"],
                      actions=several),
        world.trigger(name="report failed retries", trigger_on_status=["failed"], trigger_required_tags=["report"]),
        world.trigger(name="one at a time", trigger_on_status=["failed"], trigger_required_tags=["single"],
                      policy={"single_instance": True, "overlap": "queue"}),
        world.trigger(name="preprocess again", trigger_on_status=["failed"], trigger_required_tags=["lost"],
                      action={"queue": "gpu-old"}),
        world.trigger("model", name="evaluate published models", trigger_on_publish=True),
        world.trigger("dataset", name="retrain on new data", trigger_on_publish=True, trigger_required_tags=["gold"]),
        world.trigger("schedule", name="nightly evaluation", cron="30 2 * * *", timezone="Europe/Berlin"),
        world.trigger(name="accuracy above 95 %", trigger_on_metric="accuracy", trigger_on_variant="top1",
                      trigger_on_threshold=0.95, trigger_on_sign="maximum"),
    ]  # fmt: skip


def _people(world: World) -> None:
    by_hand = world.trigger(name="clean up drafts", trigger_on_status=["closed"], trigger_required_tags=["draft"])
    with open_target(world.ledger.scheduler) as target:
        apply(target, [by_hand], prune=False, source="clean-up.yaml")
        changes.pause(target, [target.entry("retrain on new data")])
        muting.mute(target, [target.entry("evaluate published models")], "4h")
