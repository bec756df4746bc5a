"""A stage is added by a row: the parts that read the table know it without another line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from tests.integration.stages.conftest import World
from triggers.base.settings import settings
from triggers.context import Context
from triggers.operate.status import _others
from triggers.stages import table
from triggers.stages.stalled import stalled


def count(ctx: Context, drawer: int) -> int:
    """The toy stage: takes what lies in a drawer."""
    return int(ctx.ledger.store.client.zremrangebyrank(ctx.ledger.keys.due(f"drawer-{drawer}"), 0, -1))


TOY = table.Stage(
    "count",
    "counts what lies in a drawer",
    queues=("count", "poll"),
    every="reconcile_seconds",
    hint=("drawer",),
    backlog=table.Backlog("drawer-3", "things", "counting has stopped", "nobody has counted for {since}"),
)


@pytest.fixture
def celery(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """An application as workers have it, but for its broker, with the toy's row in the table."""
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://localhost:1/0")
    settings.cache_clear()
    from workers.app import configuration

    monkeypatch.setattr(table, "STAGES", [*table.STAGES, TOY])
    made = Celery("toy", set_as_current=False)
    of = configuration(world.ctx.settings.model_copy(update={"redis_url": "redis://localhost:1/0"}))
    made.conf.update({**of, "broker_url": "memory://", "broker_transport_options": {}, "broker_use_ssl": None})
    yield made
    made.close()
    settings.cache_clear()


def test_its_queue_route_ticks_and_import_are_there(celery: Celery) -> None:
    assert celery.conf.task_routes["triggers.count"] == {"queue": "count"}
    assert [queue.name for queue in celery.conf.task_queues][-1] == "count"
    assert {"count by count", "count by poll"} <= set(celery.conf.beat_schedule)
    assert "workers.count" in celery.conf.imports


def test_a_hint_arrives_in_its_queue_and_says_where(world: World, celery: Celery) -> None:
    from workers.runtime import CeleryHints

    hints = CeleryHints(celery, world.ledger.store.client, lambda _: "examples/toys")
    hints.send("count", world.ledger.scheduler, 3)
    with celery.connection() as connection:
        message: Any = celery.amqp.queues["count"](connection.default_channel).get(no_ack=True)
    assert message.headers["task"] == "triggers.count"
    assert message.headers["argsrepr"] == "(examples/toys, drawer 3)"
    assert message.payload[0] == [world.ledger.scheduler, 3]


@pytest.mark.parametrize(("name", "where"), [("count", ()), ("count", (1, 2)), ("sync", ()), ("nothing", ())])
def test_a_hint_that_no_row_describes_is_refused(
    world: World, celery: Celery, name: str, where: tuple[int, ...]
) -> None:
    from workers.runtime import CeleryHints

    with pytest.raises((LookupError, ValueError)):
        CeleryHints(celery, world.ledger.store.client, lambda id_: id_).send(name, "one", *where)


def test_status_metrics_notices_and_the_page_know_it(world: World, celery: Celery) -> None:
    from triggers.operate.doctor.workers import table as seen_by_doctor
    from workers.exporter import _figures

    ledger = world.ledger
    ledger.store.client.zadd(ledger.keys.due("drawer-3"), {"a": ledger.now_ms() - 120_000, "b": ledger.now_ms()})
    target: Any = type("Target", (), {"ledger": ledger})
    shown = {one.name: one for one in _others(target, ledger.now_ms())}["count"]
    assert (shown.state, shown.waiting) == ("late", 2)
    assert "2 things due" in shown.words
    figures = {(name, values): number for name, values, number in _figures(ledger)}
    assert figures["stage_waiting", ("count",)] == 2.0
    found = stalled(ledger, ledger.registry.snapshot(), 5.0, world.ctx.epoch.began_ms)
    assert found["counting has stopped"] == ("stale count", "nobody has counted for 2 min")
    assert "| count | counts what lies in a drawer | `triggers.count` | count, poll |" in table.page()
    assert seen_by_doctor.queues()[-1] == "count"
    assert count(world.ctx, 3) == 2
    assert stalled(ledger, ledger.registry.snapshot(), 5.0, world.ctx.epoch.began_ms) == {}
