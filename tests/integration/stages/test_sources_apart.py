"""A source that cannot be read keeps no other from being read."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import ServerUnavailable


@pytest.mark.sandbox_control
def test_trouble_with_models_keeps_no_trigger_on_tasks_from_firing(world: World) -> None:
    world.declare(world.trigger(), world.trigger("model", "published", trigger_on_publish=True))
    failed = world.fail_task()
    fault = world.sandbox.control.fault("error", "models.get_all_ex", status=500)
    with pytest.raises(ServerUnavailable):
        world.poll()
    world.settle()
    assert sum(world.runs().values()) == 1, f"for {failed}"
    assert world.ledger.reading.cursor("models").plan == 0
    world.sandbox.control.clear_faults(fault)
    model = world.call("models.create", name="a model", uri="s3://bucket/m", ready=False)["id"]
    world.call("models.set_ready", model=model)
    world.step()
    assert sum(world.runs().values()) == 2
