"""What is declared in a world, and by which settings it runs."""

from __future__ import annotations

from tests.property.stages.world import PARTITIONS
from triggers.base.settings import Settings
from triggers.model import Trigger, make_trigger


def settings_of_the_world(max_attempts: int) -> Settings:
    """Leases never expire by themselves here, and attempts have no limit by default."""
    return Settings(
        lease_seconds=100,
        partitions=PARTITIONS,
        batch_firings=3,
        batch_events=3,
        max_attempts=max_attempts,
        max_per_minute=0,
        request_timeout_seconds=20,
    )


def make_triggers(base: str) -> list[Trigger]:
    """One that fires once, one with a slot, one that fires at every transition."""

    def made(name: str, condition: dict[str, object], **policy: object) -> Trigger:
        action = {"type": "task", "base_task_id": base, "queue": "default"}
        return make_trigger("task", name=name, action=action, policy=policy, trigger_name="^object", **condition)

    failed = {"trigger_on_status": ["failed"]}
    return [
        made("once", failed),
        made("single", failed, single_instance=True, overlap="queue"),
        made("turning", {"trigger_on_tags": ["hot"]}, fire="on_transition"),
    ]


def edited_triggers(base: str) -> list[Trigger]:
    """Triggers that people edit, retire and delete at any moment; of one, the launches satisfy its own condition."""
    action = {"type": "task", "base_task_id": base, "queue": "default"}
    single, mine = {"single_instance": True}, action | {"overrides": {"name": "mine"}}
    failed = {"trigger_on_status": ["failed"], "trigger_name": "^object"}
    return [
        make_trigger("task", name="edited", action=action, policy=single, **failed),
        make_trigger("task", name="edited", action=action, policy=single | {"overlap": "queue"}, **failed),
        make_trigger("task", name="edited", action=action, **failed),
        make_trigger("task", name="own", action=mine, trigger_name="^(object|mine)"),
    ]
