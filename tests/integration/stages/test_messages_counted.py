"""Celery messages of one scheduler and of twenty, counted as Redis gets them: at most two for each and each poll."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from celery import Celery

from tests.integration.stages.conftest import World
from tests.integration.stages.many import others, polled
from triggers.base.broker import broker_prefix
from triggers.base.messages import hinted_scheduler
from triggers.base.settings import settings
from triggers.context import Context
from triggers.stages import table
from triggers.stages.match import match
from triggers.stages.reconcile import reconcile

SCHEDULERS, POLLS, MOST = 20, 5, 2


#: Worker processes: one a role.
WORKERS = 3


@dataclass
class Cluster:
    """Some schedulers with hints as workers send them, and the queues in which these lie."""

    world: World
    client: redis.Redis
    contexts: dict[str, Context]

    def sent(self) -> int:
        """Messages that were ever put into Celery's queues: nothing else is put in front of a list here."""
        stats: Any = self.client.info("commandstats")
        return int(stats.get("cmdstat_lpush", {}).get("calls", 0))

    def take(self, stage: str, share: float) -> list[Context]:
        """Take a share of the hints of a stage out of its queue, the oldest first; whose they are."""
        row, found = table.stage(stage), []
        queue = broker_prefix() + row.queues[0]
        for _ in range(int(share * self.client.llen(queue))):  # type: ignore[operator]
            scheduler = hinted_scheduler(self.client.rpop(queue), row.task)  # type: ignore[arg-type]
            found.append(self.contexts[str(scheduler)])
        return found

    def messages(self, happens: Callable[[], object], poll_seconds: float = 1) -> float:
        """Messages of each scheduler and poll while something happens before each poll; those of beat are included, and
        those that workers send themselves.
        """
        before = self.sent()
        for _ in range(POLLS):
            happens()
            for ctx in self.contexts.values():
                polled(ctx)
                reconcile(ctx)
        others = POLLS * poll_seconds * a_second(self.world)
        return (self.sent() - before + others) / (len(self.contexts) * POLLS)


def a_second(world: World) -> float:
    """What beat and workers send in a second as long as these keep up: the same for any number of schedulers."""
    from workers.schedule import stint_seconds
    from workers.watchdog import SURE_SECONDS

    rows = [(queue, row.seconds(world.settings)) for row in table.STAGES for queue in row.queues]
    finest = {queue: min(pace for of, pace in rows if of == queue and pace) for queue, pace in rows if pace}
    return sum(1 / stint_seconds(pace) for pace in finest.values()) + WORKERS / SURE_SECONDS


@pytest.fixture(params=[SCHEDULERS])
def cluster(
    request: pytest.FixtureRequest,
    world: World,
    redis_url: str,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cluster]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    settings.cache_clear()
    from workers.app import configuration
    from workers.runtime import CeleryHints

    celery = Celery("sender", set_as_current=False)
    celery.conf.update(configuration(world.settings.model_copy(update={"redis_url": redis_url})))
    contexts = others(world, request.param, CeleryHints(celery, redis_client, str))
    for ctx in contexts:
        polled(ctx)
    yield Cluster(world, redis_client, {ctx.ledger.scheduler: ctx for ctx in contexts})
    celery.close()
    settings.cache_clear()


def test_at_rest_only_beat_sends_any(cluster: Cluster) -> None:
    before = cluster.sent()

    def service_tasks_are_renewed() -> None:
        cluster.world.tick()
        for ctx in cluster.contexts.values():
            cluster.world.call("tasks.edit", task=ctx.service_task, comment="saved", force=True)

    assert cluster.messages(service_tasks_are_renewed) <= MOST
    assert cluster.sent() == before
    assert cluster.take("match", 1) == []


def test_changes_that_concern_nobody_send_none(cluster: Cluster) -> None:
    before = cluster.sent()
    cluster.messages(lambda: cluster.world.create_task("nobody's"))
    assert cluster.sent() == before
    assert cluster.take("match", 1) == [], "and none was under way before, behind which no other is sent"


def test_a_backlog_that_nobody_takes_has_one_message_for_each_scheduler(cluster: Cluster) -> None:
    before = cluster.sent()
    assert cluster.messages(cluster.world.fail_task) <= MOST
    assert cluster.sent() - before == SCHEDULERS


@pytest.mark.parametrize("cluster", [1], indirect=True)
@pytest.mark.parametrize("poll_seconds", [1, 5, 30])
def test_one_scheduler_alone_has_few_messages_as_well_at_any_pace(cluster: Cluster, poll_seconds: float) -> None:
    assert cluster.messages(cluster.world.tick, poll_seconds) <= MOST
    assert cluster.messages(cluster.world.fail_task, poll_seconds) <= MOST, "nobody takes its hints"


def test_workers_that_are_behind_get_two_at_most(cluster: Cluster) -> None:
    """Half of what waits for match is matched between two polls, and half of the hints to dispatch are taken."""
    matched = []

    def happens() -> None:
        for ctx in cluster.take("match", 0.5):
            matched.append(match(ctx))
        for ctx in cluster.take("dispatch", 0.5):
            ctx.ledger.hinted.take("dispatch")
        cluster.world.fail_task()

    assert cluster.messages(happens) <= MOST
    assert sum(matched) > SCHEDULERS
