"""`REPLICAOF` with two real servers: promoted beside the old primary, back again, and a replica of older data."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from tests.integration.ledger.helpers import eventually
from tests.integration.service.conftest import ServiceWorld, server
from triggers.base.errors import EpochChanged, StoreUnavailable
from triggers.base.settings import Settings
from triggers.context import Context
from triggers.ledger import Store, connect, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.sandbox import Sandbox
from triggers.sync import renewal
from triggers.sync.redis_lease import leases_in

__all__ = ["server"]


class Replicated:
    """A Redis on a port of its own: replicas reach their primary by TCP."""

    def __init__(self, folder: Path, binary: str) -> None:
        folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        options = {"port": self.port, "bind": "127.0.0.1", "dir": folder, "save": "", "repl-diskless-sync-delay": 0}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self.process = subprocess.Popen([binary, *words], stdout=subprocess.DEVNULL)
        self.client = connect(f"redis://127.0.0.1:{self.port}")
        eventually(self._answers)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def follow(self, primary: Replicated) -> None:
        """Replicate it, and wait until all of its data is here."""
        self.client.replicaof("127.0.0.1", primary.port)
        eventually(lambda: self.client.info("replication").get("master_link_status") == "up")
        primary.replicated()

    def replicated(self) -> None:
        """Wait until its replica has all that it has."""
        self.client.set("until here", "1")
        assert self.client.wait(1, 10_000) == 1

    def promote(self) -> None:
        self.client.replicaof("NO", "ONE")

    def stop(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture(params=sorted(redis_binaries()))
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Replicated, Replicated]]:
    both = [Replicated(tmp_path / name, redis_binaries()[request.param]) for name in ("first", "second")]
    yield both[0], both[1]
    for one in both:
        one.stop()


@pytest.fixture
def world(
    two: tuple[Replicated, Replicated], server: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServiceWorld]:
    """A scheduler on the first, which has launched for one change and renewed its lease."""
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    server.control.reset()
    ledger = open_ledger(Store(two[0].client), "scheduler-under-test", settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    world = ServiceWorld(server, ledger, settings)
    world.declare(world.trigger())
    world.sync()
    world.fail_task()
    world.step()
    assert list(world.runs().values()) == [1]
    yield world
    world.client.close()


def on(world: ServiceWorld, one: Replicated) -> Context:
    """A worker that uses that Redis."""
    ledger = open_ledger(Store(one.client), world.ledger.scheduler, world.settings)
    return replace(world.ctx, ledger=ledger, epoch=ledger.adopt_epoch())


def turn(world: ServiceWorld, ctx: Context) -> None:
    """One renewal of a worker."""
    known, world.ctx = world.ctx, ctx
    try:
        world.sync()
    finally:
        world.ctx = known


def serves(one: Replicated) -> bool:
    return bool(schedulers.all_of(one.client))


def test_a_promoted_replica_goes_on_and_the_old_primary_steps_aside_at_its_next_renewal(
    world: ServiceWorld, two: tuple[Replicated, Replicated]
) -> None:
    first, second = two
    second.follow(first)
    world.fail_task()
    second.promote()
    new = on(world, second)
    assert new.epoch.number == world.ctx.epoch.number + 1
    world.step()  # the old one does not know yet
    turn(world, new)
    turn(world, world.ctx)
    assert (serves(first), serves(second)) == (False, True)
    assert f"epoch {new.epoch.number}" in str(world.ledger.history.alarms())
    for _ in range(3):  # what the old one launched meanwhile is found by its key
        world.step(new)
    assert sorted(world.runs().values()) == [1, 1]
    turn(world, new)
    assert serves(second)
    assert [one.run for one in leases_in([world.task()["runtime"]])] == [new.epoch.run_id]


def test_a_replica_that_lagged_behind_launches_nothing_again(
    world: ServiceWorld, two: tuple[Replicated, Replicated]
) -> None:
    first, second = two
    second.follow(first)
    second.promote()  # nothing reaches it any more
    for _ in range(3):
        world.fail_task()
    world.step()
    assert sorted(world.runs().values()) == [1] * 4
    first.client.shutdown(nosave=True)
    new = on(world, second)
    for _ in range(3):
        world.tick()
        world.step(new)
    assert sorted(world.runs().values()) == [1] * 4
    world.fail_task()
    world.step(new)
    assert sorted(world.runs().values()) == [1] * 5


def test_there_and_back_again(world: ServiceWorld, two: tuple[Replicated, Replicated]) -> None:
    """Planned: the old primary becomes a replica of the new one, refuses writes, and is promoted in its turn."""
    first, second = two
    second.follow(first)
    second.promote()
    first.follow(second)
    with pytest.raises((StoreUnavailable, EpochChanged)):
        world.poll()
    there = on(world, second)
    world.fail_task()
    world.step(there)
    assert sorted(world.runs().values()) == [1, 1]
    second.replicated()
    first.promote()
    world.ctx.begin_epoch()
    assert world.ctx.epoch.number == there.epoch.number + 1
    world.fail_task()
    for _ in range(2):
        world.step()
    assert sorted(world.runs().values()) == [1, 1, 1]


def test_a_primary_that_was_given_older_data_in_its_run(
    world: ServiceWorld, two: tuple[Replicated, Replicated]
) -> None:
    """Its run, its nonce and its number are those that its workers know; its counter has gone back."""
    first, second = two
    second.follow(first)
    second.promote()  # a copy of now
    world.fail_task()
    world.step()
    world.ledger.store._look_at = 0.0  # a second later
    world.poll()
    first.follow(second)
    first.promote()
    with pytest.raises(EpochChanged, match="older state"):
        world.poll()
    world.ctx.begin_epoch()
    for _ in range(3):
        world.step()
    assert sorted(world.runs().values()) == [1, 1]
