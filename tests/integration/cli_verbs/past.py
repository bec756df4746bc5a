"""A scheduler with one of everything: the state in which the examples of the help and the snapshots are run."""

from __future__ import annotations

from pathlib import Path

from tests.integration.stages.conftest import World
from triggers.context.api_account import hand_in
from triggers.model import Trigger

FILE = """triggers:
- {{kind: task, name: retry, trigger_on_status: [failed], schedule_task_id: {base}, schedule_queue: default}}
- {{kind: model, name: deploy, trigger_on_publish: true, schedule_task_id: {base}, schedule_queue: default}}
"""


def triggers(world: World) -> list[Trigger]:
    """Launching, idle, held by its pace, by a pause, by its slot, failing, and given up."""
    return [
        world.trigger(name="retry"),
        world.trigger(name="old", trigger_on_tags=["other"]),
        world.trigger(name="paced", policy={"max_per_minute": 1}, trigger_on_tags=["paced"]),
        world.trigger(name="paused", trigger_on_tags=["paused"]),
        world.trigger(name="single", policy={"single_instance": True, "overlap": "queue"}, trigger_on_tags=["single"]),
        world.trigger(name="broken", action={"queue": "nowhere"}, trigger_on_tags=["broken"]),
        world.trigger(name="given up", action={"base_task_id": "0" * 32}, trigger_on_tags=["given up"]),
        world.trigger("schedule", "nightly", cron="30 2 * * *"),
    ]


def make(world: World, folder: Path) -> None:
    """Declare them and let each come into its state; a file of triggers lies in the folder."""
    # what failed stays between two attempts, however long the rest takes
    world.ctx = world.context(retry_base_seconds=1000.0)
    declared = triggers(world)
    world.declare(*declared)
    world.pause(declared[3])
    world.step()
    world.fail_task(name="train resnet")
    world.step()
    for tag in ("paced", "paced", "paused", "single", "single", "broken", "given up"):
        world.tick()
        world.create_task(name=f"{tag} task", tags=[tag])
        world.step()
    hand_in(world.ledger.calls)
    (folder / "triggers.yaml").write_text(FILE.format(base=world.base))
