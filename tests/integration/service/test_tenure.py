"""The serving process while it serves: what it does to go on, and what ends that from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import redis

from tests.integration.service.conftest import ServiceWorld
from triggers.base.errors import ServerUnavailable
from triggers.client.election import Election
from triggers.client.tenure import Tenure
from triggers.context.api_account import ApiAccount
from triggers.ledger.deployment.leaders import Leader
from triggers.model import make_trigger


class Aborts:
    """Stands for the watch of the service task: what its next look finds or raises."""

    found: bool | Exception = False

    def is_aborted(self) -> bool:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class Serving:
    """One process that serves the world's scheduler, with a clock of its own."""

    def __init__(self, world: ServiceWorld, script: str = "mine.py") -> None:
        self.world, self.seconds, self.aborts = world, 0.0, Aborts()
        self.registered = 0
        leader = Leader("here", 1, script, script)
        self.tenure = Tenure(
            world.ctx,
            Election(world.scheduler, world.settings, leader, world.ledger.adopt_epoch),
            ApiAccount(None),
            self.aborts,  # type: ignore[arg-type]
            self._register,
            clock=lambda: self.seconds,
        )

    def _register(self) -> None:
        self.registered += 1
        declare(self.world)

    def renew(self) -> None:
        """A look at which the lease is due."""
        self.seconds += self.tenure.pause_seconds
        self.tenure.look()

    def has_lease(self) -> bool:
        holder = self.world.ledger.homes.holder()
        return holder is not None and holder.script == self.tenure.election.holder.script


def declare(world: ServiceWorld) -> None:
    action = {"type": "function", "name": "f"}
    world.declare(make_trigger("task", name="t", action=action, trigger_on_status=["failed"]))
    world.ledger.enter(world.scheduler)


@pytest.fixture
def serving(service_world: ServiceWorld) -> Serving:
    declare(service_world)
    made = Serving(service_world)
    made.renew()
    assert made.has_lease()
    return made


def test_the_lease_is_renewed_when_it_is_due_and_not_before(serving: Serving) -> None:
    serving.world.ledger.homes.leave(serving.tenure.election._token)
    serving.tenure.look()
    assert not serving.has_lease()
    serving.renew()
    assert serving.has_lease()
    assert not serving.tenure.is_over


def test_another_process_that_took_over_ends_it(serving: Serving) -> None:
    serving.world.ledger.homes.leave(serving.tenure.election._token)
    other = Serving(serving.world, "other.py")
    other.renew()
    serving.renew()
    assert "other.py" in serving.tenure.lost
    assert other.has_lease()


def test_a_redis_that_came_back_empty_gets_the_triggers_again(serving: Serving) -> None:
    serving.world.ledger.store.client.flushall()
    serving.renew()  # notices
    serving.renew()
    assert serving.registered == 1
    assert serving.has_lease()
    serving.renew()
    assert serving.registered == 1
    assert not serving.tenure.is_over


def test_a_scheduler_that_was_removed_from_redis_ends_it(serving: Serving) -> None:
    serving.world.ledger.leave()
    serving.renew()
    assert serving.tenure.lost == "the scheduler was removed from this Redis"


def test_an_aborted_service_task_ends_it_between_two_renewals(serving: Serving) -> None:
    serving.aborts.found = True
    serving.tenure.look()
    assert serving.tenure.aborted
    assert serving.tenure.is_over


def test_a_server_that_does_not_answer_delays_no_renewal(serving: Serving) -> None:
    serving.world.ledger.homes.leave(serving.tenure.election._token)
    serving.seconds += serving.tenure.pause_seconds
    serving.aborts.found = ServerUnavailable("tasks.get_by_id: no answer")
    serving.tenure.look()
    serving.aborts.found = False
    serving.tenure.look()
    assert serving.has_lease()


@pytest.mark.parametrize("failure", [redis.ConnectionError("away"), ServerUnavailable("away"), RuntimeError("a bug")])
def test_what_fails_while_it_learns_of_a_restarted_redis_ends_no_thread(
    serving: Serving, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, failed = serving.world.ctx.begin_epoch, list[Exception]()

    def begin_epoch() -> None:
        if not failed:
            failed.append(failure)
            raise failure
        learn()

    monkeypatch.setattr(serving.world.ctx, "begin_epoch", begin_epoch)
    serving.world.ledger.store.client.flushall()
    serving.renew()
    assert failed
    serving.renew()
    serving.renew()
    assert serving.has_lease()


def test_keeping_stops_everything_once_it_is_over(serving: Serving) -> None:
    stopping, stopped = threading.Event(), list[Callable[[], object]]()
    serving.aborts.found = True
    serving.tenure.keep(stopping, lambda: stopped.append(stopping.set))
    assert len(stopped) == 1
