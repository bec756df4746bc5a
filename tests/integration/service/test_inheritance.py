"""A Redis that comes back empty: what was saved on the service task, and the marks, bring everything back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.base import retry
from triggers.base.errors import Usage
from triggers.base.settings import Settings
from triggers.clearml_api import service as service_calls
from triggers.client.checks import MissingOnServer
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.sandbox import Sandbox
from triggers.stages.sync import sync
from triggers.sync import renewal, takeover


class HomeWorld(ServiceWorld):
    """The world of a scheduler as its home process makes it."""

    home: ServingProcess

    def come_home(self, *triggers) -> None:
        task = ServiceTask(self.service, "P", "service task", None)
        self.home = ServingProcess(task, 1.0, self.settings, triggers=triggers, sync_seconds=0.001)
        self.ledger = self.home.connect()
        service_calls.adopt(self.api, self.service, self.home.scheduler.id)
        takeover.take_over(self.home.context(self.ledger), self.home.scheduler)
        self.home.register(self.ledger)
        self.scheduler = self.home.scheduler
        self.ctx = replace(self.home.context(self.ledger), hints=self.hints)

    def sync(self):
        return sync(self.ctx, self.scheduler, force=True)


@pytest.fixture
def home_world(server: Sandbox, ledger, settings: Settings, redis_url: str, monkeypatch) -> Iterator[HomeWorld]:
    server.control.reset()
    for name, value in server.env().items():
        monkeypatch.setenv(name, value)
    world = HomeWorld(server, ledger, settings.model_copy(update={"redis_url": redis_url}))
    yield world
    world.client.close()


def test_an_emptied_redis_goes_on_where_the_old_one_was(home_world: HomeWorld, monkeypatch) -> None:
    world = home_world
    trigger, paused = world.trigger(), world.trigger(name="paused")
    world.come_home(trigger, paused)
    world.pause(paused)
    fired = world.fail_task()
    world.step()
    world.sync()
    read, late = world.fail_task(), None
    world.poll()  # read, and lost with Redis
    world.sync()
    world.hints.partitions.clear()
    world.ledger.store.client.flushall()
    late = world.fail_task()
    monkeypatch.setattr("triggers.sync.takeover.time.sleep", lambda _: _let_leases_run_out(world))
    world.come_home(trigger, paused, world.trigger(name="new"))
    world.step()
    world.call("tasks.edit", task=fired, tags=["changed again"], force=True)
    world.step()
    by_source = sorted(entry.object for entry in world.history("launched") if entry.trigger == trigger.id)
    assert by_source == sorted([fired, read, late]), "the one that had fired is found by its mark"
    assert max(world.runs().values()) == 1
    assert world.ledger.registry.snapshot().entries[paused.id].paused
    assert [e.object for e in world.history("launched") if e.trigger == "task:new"] == [fired], "new: from now on"


def _let_leases_run_out(world: HomeWorld) -> None:
    runtime = world.task()["runtime"]
    gone = [key for key in runtime if key.startswith("triggers-redis-")]
    service_calls.write_runtime(world.api, world.service, {}, gone)


def test_a_second_redis_is_refused_until_the_first_gives_back(
    home_world: HomeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = home_world
    world.come_home(world.trigger())
    context, scheduler = world.ctx, world.scheduler
    runtime = world.task()["runtime"]
    (key,) = [name for name in runtime if name.startswith("triggers-redis-")]
    elsewhere = runtime[key].replace("redis.sock", "elsewhere.sock").replace(key.rpartition("-")[2], "other")
    values = {"triggers-redis-other": elsewhere}
    service_calls.write_runtime(world.api, world.service, values, [key])

    def renew(_: float) -> None:
        lease = json.loads(elsewhere)
        values = {"triggers-redis-other": json.dumps(lease | {"until_ms": lease["until_ms"] + 20_000})}
        service_calls.write_runtime(world.api, world.service, values)

    monkeypatch.setattr(takeover.time, "sleep", renew)
    with pytest.raises(Usage, match=r"elsewhere\.sock"):
        takeover.take_over(context, scheduler)
    service_calls.write_runtime(world.api, world.service, {}, ["triggers-redis-other"])
    takeover.take_over(context, scheduler)
    renewal.give_back(context, scheduler)
    assert not [name for name in world.task()["runtime"] if name.startswith("triggers-redis-")]


def test_registering_the_same_triggers_again_lets_polls_begin_anew(home_world: HomeWorld) -> None:
    """At the quiet pace the next one would come up to half a minute later."""
    world = home_world
    world.come_home(world.trigger())
    client, watch = world.ledger.store.client, world.ledger.keys.service_watch
    world.poll()
    version = world.ledger.registry.version()
    assert client.hexists(watch, "polled_for")
    world.come_home(world.trigger())
    assert world.ledger.registry.version() == version
    assert not client.hexists(watch, "polled_for")


def test_registering_again_keeps_everything(home_world: HomeWorld) -> None:
    world = home_world
    world.come_home(world.trigger())
    assert world.ctx.epoch.complete, "nothing was launched before, so nothing has to be looked for"
    failed = world.fail_task()
    world.step()
    world.come_home(world.trigger())
    world.call("tasks.edit", task=failed, tags=["changed"], force=True)
    world.step()
    assert sum(world.runs().values()) == 1


@pytest.mark.sandbox_control
def test_a_start_waits_for_a_server_that_gives_no_usable_answers_for_a_while(
    home_world: HomeWorld, server: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = home_world
    monkeypatch.setattr(retry, "PAUSE_SECONDS", 0.0)
    world.fail_task()
    for endpoint in ("users.get_current_user", "queues.get_all", "tasks.ping"):
        server.control.fault("error", endpoint, caller="clearml-triggers", times=2)
    with pytest.warns(MissingOnServer):
        world.come_home(world.trigger(), world.trigger(name="no queue", action={"queue": "not there yet"}))
    failed = [entry["endpoint"] for entry in server.control.requests() if entry["status"] == 500]
    assert Counter(failed) == {"users.get_current_user": 2, "queues.get_all": 2, "tasks.ping": 2}
    world.step()
    assert not world.runs(), "what changed before the registration does not count"
    world.fail_task()
    world.step()
    assert list(world.runs().values()) == [1]
