"""A ClearML server that takes longer over each call than opening a connection may take."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.base.settings import Settings
from triggers.clearml_api import Api, Credentials


@pytest.mark.sandbox_control
@pytest.mark.slow
def test_polls_and_launches_at_a_server_that_takes_six_seconds_a_call(world: World) -> None:
    world.declare(world.trigger())
    world.fail_task()
    world.step()
    world.fail_task()
    # one call of each kind: more would make the test longer, and say no more
    for endpoint in ("tasks.get_all_ex", "tasks.clone", "tasks.enqueue"):
        world.sandbox.control.fault("delay", endpoint, seconds=6.0, caller="clearml-triggers*", times=1)
    patient = Api(
        Credentials(world.sandbox.url, world.sandbox.access_key, world.sandbox.secret_key),
        timeout_seconds=Settings().request_timeout_seconds,
    )
    world.api = patient
    world.step()
    assert [(entry.what, entry.reason) for entry in world.history() if entry.what in ("failed", "dead")] == []
    assert list(world.runs().values()) == [1, 1]
    assert all(rule["hits"] == 1 for rule in world.sandbox.control.faults())
    patient.close()
