"""What a poll asks that finds nothing: no more with a thousand triggers than with three."""

from __future__ import annotations

import pytest

from tests.integration.stages.conftest import World


@pytest.mark.sandbox_control
@pytest.mark.parametrize("number", [3, 1_000])
def test_an_idle_poll_makes_two_requests_however_many_triggers(world: World, number: int) -> None:
    kinds = {"task": {"trigger_on_status": ["failed"]}, "model": {"trigger_on_publish": True}, "dataset": {}}
    fields = [(kind, condition) for _ in range(number) for kind, condition in kinds.items()][:number]
    world.declare(*(world.trigger(kind, name=f"t{n}", **condition) for n, (kind, condition) in enumerate(fields)))
    world.poll()
    before = world.sandbox.control.counts()
    world.poll()
    after = world.sandbox.control.counts()
    made = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert made == {"tasks.get_all_ex": 1, "models.get_all_ex": 1}
