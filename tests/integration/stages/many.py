"""More schedulers beside the one of the world: on the same Redis and server, each as the first one is."""

from __future__ import annotations

from dataclasses import replace

from tests.integration.stages.conftest import World
from triggers.clearml_api import server_now_ms
from triggers.context import Context, Hints
from triggers.ledger import Store, open_ledger
from triggers.model.launch_tags import service_tag
from triggers.stages.poll import poll


def others(world: World, number: int, hints: Hints | None = None) -> list[Context]:
    """So many, each with a service task and a trigger of the world's."""
    found = []
    for n in range(number):
        ledger = open_ledger(Store(world.ledger.store.client), f"{n:016x}", world.settings)
        epoch = ledger.adopt_epoch(nothing_launched_before=True)
        service = world.create_task(f"service {n}", system_tags=[service_tag(ledger.scheduler)])
        ctx = replace(world.ctx, ledger=ledger, hints=hints or world.hints, epoch=epoch, service_task=service)
        now_ms = server_now_ms(world.api, world.service)
        ledger.registry.declare([world.trigger()], origin="script", server_now_ms=now_ms)
        found.append(ctx)
    return found


def polled(ctx: Context) -> int:
    """Poll now; how many events were stored."""
    result = poll(ctx, pace_seconds=1, force=True)
    assert result is not None
    return result.events
