"""What a registration warns of, and that it goes on all the same."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.checks import MissingOnServer, missing, warn_of_missing


def test_what_the_server_has_is_not_warned_of(world: World) -> None:
    world.call("projects.create", name="Here", description="")
    assert missing(world.api, [world.trigger(trigger_project="Here", trigger_on_status=["failed"])]) == []


def test_each_missing_name_is_one_warning_that_says_what_will_happen(world: World) -> None:
    nowhere = "0" * 31 + "1"
    lost = world.trigger(
        name="lost",
        trigger_project="Not yet",
        trigger_on_status=["failed"],
        action={"base_task_id": nowhere, "queue": "no queue"},
    )
    project, base, queue = missing(world.api, [lost, world.trigger(name="fine")])
    assert "trigger 'lost': trigger_project='Not yet' is not on the server" in project
    assert "nothing matches until" in project
    assert f"schedule_task_id='{nowhere}'" in base
    assert "dead letter" in base
    assert "schedule_queue='no queue'" in queue
    assert "retried until it is created" in queue
    with pytest.warns(MissingOnServer, match="trigger 'lost'"):
        warn_of_missing(world.api, [lost])
