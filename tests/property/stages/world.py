"""A world that runs the real stages call by call: ClearML in memory, Redis for real, processes of actors."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis

from tests.one_by_one import run_together
from tests.property.stages.actors import Actor, Outcome, current
from tests.property.stages.redis_copies import Copy, copy_of, put_copy
from tests.property.stages.server import Server
from triggers.base.errors import EpochChanged, Fenced, Refused, ServerUnavailable, StoreUnavailable, Transient
from triggers.base.settings import Settings
from triggers.clearml_api.connection import Answer
from triggers.context import Context
from triggers.ledger import Store, open_ledger
from triggers.ledger.store import Script
from triggers.model.action import LANES
from triggers.stages.act import act
from triggers.stages.crew import Crew
from triggers.stages.dispatch import dispatch
from triggers.stages.match import match
from triggers.stages.poll import poll
from triggers.stages.reconcile import reconcile

SCHEDULER = "simulated"
PARTITIONS = 2

#: Scripts that order firings by Redis' time in ms; two of them never share one here, so that examples repeat exactly.
TIMED = {"match_commit", "release", "poll_commit"}


class SteppedStore(Store):
    """The real store, stopping before each script."""

    world: World
    run_together = run_together

    def run(self, script: Script, keys: list[str], *args: str | int | float) -> Any:
        told, known = current(), self.run_id
        if script.name == "put_back":  # no pause ends by itself while an example runs
            token, key, pause, *rest = args
            args = (token, key, int(pause) * 1000 + 1000, *rest)

        def effect() -> Any:
            sender = Store(self.world.client)
            sender.run_id, sender._scripts, sender.seen = known, self.world.scripts, self.seen
            if script.name == "put_back":
                self.world.pauses.add(str(args[1]))
            try:
                return self.world.at_its_time(script.name, keys, args, sender.run(script, keys, *args))
            finally:
                self.seen = max(self.seen, sender.seen)
                if script.name in TIMED:
                    time.sleep(0.0011)

        if told is None:
            return effect()
        return told.call(script.name, effect, StoreUnavailable, self.world.postpone_script)


class SteppedApi:
    """Stands in for `Api`, stopping before each call."""

    pause_seconds = 0.0
    is_trying = False

    def __init__(self, world: World) -> None:
        self.world = world
        self.lacks: set[str] = set()

    def call(self, endpoint: str, body: Mapping[str, Any]) -> Answer:
        told, sent = current(), json.loads(json.dumps(body))

        def effect() -> Answer:
            return self.world.server.ours(endpoint, sent)

        if told is None:
            return effect()
        return told.call(endpoint, effect, ServerUnavailable, self.world.postpone_call)


class Hints:
    """Hints go nowhere: the test calls the stages."""

    def send(self, stage: str, scheduler: str, *where: int) -> None: ...

    def message(self, stage: str, scheduler: str) -> None: ...

    def waiting(self, stage: str, first: int | None = None) -> set[str]:
        return set()


class Process:
    """One worker process: one context that its actors share, as in `workers.runtime`."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.ctx: Context | None = None
        self.actors: list[Actor] = []

    def begin(self, stage: str) -> Actor:
        """Start a thread that runs one stage."""
        actor = Actor(f"{self.name}:{stage}", lambda: self._run(stage))
        self.actors.append(actor)
        self.world.follow(actor, actor.start)
        return actor

    def _run(self, stage: str) -> None:
        ctx = None
        try:
            ctx = self.context()
            run_stage(ctx, stage)
        except EpochChanged:
            if self.ctx is ctx:
                self.ctx = None
        except (Transient, Fenced):
            pass

    def context(self) -> Context:
        """The context, made and its epoch adopted on first use."""
        if self.ctx is None:
            self.ctx = self.world.context()
        return self.ctx

    def kill(self) -> None:
        """SIGKILL: all its threads end where they stand."""
        self.ctx = None
        for actor in self.actors:
            actor.kill()
        self.actors.clear()


def run_stage(ctx: Context, stage: str) -> None:
    """Run one stage by name; `match:1` is a partition."""
    name, _, partition = stage.partition(":")
    match name:
        case "poll":
            poll(ctx, pace_seconds=1, force=True)
        case "match":
            match_partition(ctx, int(partition))
        case "dispatch":
            dispatch(ctx)
        case "reconcile":
            reconcile(ctx)
        case "act":
            act(ctx, InPlace())


class InPlace(Crew):
    """A crew whose jobs run where they are begun, call by call like everything else."""

    def begin(self, name: str, job: Callable[[], None]) -> bool:
        job()
        return True


def match_partition(ctx: Context, partition: int) -> None:
    match(ctx, partition)


class World:
    """Everything outside the processes. `servers` are several Redis: another one is another run id."""

    def __init__(self, servers: list[redis.Redis], settings: Settings, nothing_before: bool = True) -> None:
        self.servers, self.settings = servers, settings
        for one in servers:
            one.flushall()
        self.client, self.scripts = servers[0], {}
        self.restarts = 0
        self.server = Server()
        self.processes = [Process(self, f"p{number}") for number in range(3)]
        #: calls and scripts that are under way without anybody waiting for them
        self.calls: list[tuple[str, Callable[[], Any]]] = []
        self.late_scripts: list[tuple[str, Callable[[], Any]]] = []
        self.stores: list[SteppedStore] = []
        self.trace: list[str] = []
        self.announced: set[tuple[str, str]] = set()
        self.durable: set[tuple[str, str]] = set()
        self.seen: Counter[object] = Counter()
        #: firings whose pause between two attempts was made longer than any example
        self.pauses: set[str] = set()
        self.snapshot: Copy = {}
        #: a replica that lags behind what is here, but not behind what is on disk, and what it has of `announced`
        self.replica: tuple[Copy, set[tuple[str, str]]] | None = None
        self.epoch_skew_ms = 0
        self.ledger = open_ledger(self.store(), SCHEDULER, settings)
        self.ledger.adopt_epoch(nothing_launched_before=nothing_before)
        self.service = self.server.call("tasks.create", {"name": "service", "type": "service"})["id"]
        self.base = self.server.call("tasks.create", {"name": "base", "type": "training"})["id"]

    def store(self) -> SteppedStore:
        store = SteppedStore(self.client)
        store.world = self
        self.stores.append(store)
        return store

    def context(self) -> Context:
        """The scheduler as another process sees it."""
        ledger = open_ledger(self.store(), SCHEDULER, self.settings)
        return Context(
            ledger=ledger,
            api=SteppedApi(self),  # type: ignore[arg-type]
            settings=self.settings,
            hints=Hints(),
            epoch=ledger.adopt_epoch(),
            service_task=self.service,
        )

    # ---- actors --------------------------------------------------------------------------------------
    @property
    def actors(self) -> list[Actor]:
        """Those that stand before a call."""
        return [actor for process in self.processes for actor in process.actors]

    def resume(self, actor: Actor, outcome: Outcome = "ok") -> None:
        self.trace.append(f"{actor.name} {actor.point}: {outcome}")
        self.seen[actor.point, outcome] += 1
        self.follow(actor, lambda: actor.resume(outcome))
        if actor.killed:
            next(process for process in self.processes if process.name == actor.name.partition(":")[0]).kill()

    def follow(self, actor: Actor, go: Callable[[], None]) -> None:
        go()
        if actor.error is not None:
            raise AssertionError(f"{actor.name} failed after {actor.point}") from actor.error
        if actor.ended:
            for process in self.processes:
                process.actors = [one for one in process.actors if one is not actor]

    def finish(self, actor: Actor) -> None:
        """Let an actor go on undisturbed to its end."""
        while not actor.ended:
            self.resume(actor)

    def serve(self, stage: str) -> None:
        """Run a stage undisturbed in a process that has nothing else to do."""
        process = Process(self, "served")
        self.processes.append(process)
        try:
            self.finish(process.begin(stage))
            if process.ctx is None:  # it learned of a new epoch
                self.finish(process.begin(stage))
        finally:
            self.processes.remove(process)

    # ---- calls under way -----------------------------------------------------------------------------
    def postpone_call(self, point: str, effect: Callable[[], Any]) -> None:
        self.calls.append((point, effect))

    def postpone_script(self, point: str, effect: Callable[[], Any]) -> None:
        self.late_scripts.append((point, effect))

    def land(self, waiting: list[tuple[str, Callable[[], Any]]], index: int) -> None:
        """Let one call that nobody waits for arrive."""
        point, effect = waiting.pop(index)
        self.trace.append(f"late {point} arrives")
        with contextlib.suppress(Refused, Fenced, Transient):
            effect()

    # ---- Redis ---------------------------------------------------------------------------------------
    def expire(self, *, firings: bool = True, leases: bool = True) -> None:
        """Let leases and pauses expire."""
        keys = self.ledger.keys
        if firings:
            for due in map(keys.due, LANES):
                for key in self.client.zrange(due, 0, -1):
                    self.client.zadd(due, {key: 0})
            for key in self.client.zrange(keys.strays, 0, -1):
                self.client.zadd(keys.strays, {key: 0})
        if leases:
            for lease in self.client.keys(keys.lease("*").replace("{", "?").replace("}", "?")):
                self.client.delete(lease)

    def at_its_time(self, script: str, keys: list[str], args: Sequence[Any], answer: Any) -> Any:
        """An answer as it would be if Redis' clock, which is real, went with that of the test."""
        if script == "epoch_adopt":
            *rest, began_ms = answer
            return [*rest, str(int(began_ms) + self.epoch_skew_ms)]
        if script == "withdraw":  # announced long ago if that is on disk, which takes a second or two
            announced = (keys[0], str(args[1]))
            self.announced.add(announced)
            return 60_000 if announced in self.durable else 0
        return answer

    def fsync(self) -> None:
        """What is written now survives a crash of Redis."""
        self.durable |= self.announced
        self.snapshot = copy_of(self.client)
        self.replica = None  # it would lag by longer than those who withdraw wait

    def replicate(self) -> None:
        """A replica has got everything up to now, and gets nothing more for a while."""
        self.replica = copy_of(self.client), set(self.announced)

    def restore_redis(self) -> None:
        """The same run of Redis with what `fsync` has seen last: a backup put back while everything goes on."""
        number = self.ledger.adopt_epoch().number
        seen = self.ledger.counter()
        self.announced = set(self.durable)
        put_copy(self.client, self.snapshot)
        self.ledger.store.seen = seen  # as the service task says
        self.ledger.adopt_epoch(at_least=number)

    def restart_redis(self, *, keep: bool = True) -> None:
        """Another run of Redis with what `fsync` has seen last, or with nothing."""
        self.restarts += 1
        self.client = self.servers[self.restarts]
        self.scripts = {}
        self.late_scripts.clear()  # their connections are gone
        self.durable = self.durable if keep else set()
        self.announced = set(self.durable)
        for store in self.stores:
            store.client = self.client
        put_copy(self.client, self.snapshot if keep else {})
        self.snapshot = self.snapshot if keep else {}
        self.replica = None

    def promote_replica(self) -> None:
        """The replica takes the place of Redis, as another run of it."""
        assert self.replica
        self.snapshot, announced = self.replica
        self.restart_redis()
        self.announced = announced
