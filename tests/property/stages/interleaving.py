"""What may happen next in a world: on the server, in the processes, to their calls, to Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import redis

from tests.property.stages.actors import FAULTS, Actor, Outcome
from tests.property.stages.declared import edited_triggers, make_triggers, settings_of_the_world
from tests.property.stages.on_server import OnServer
from tests.property.stages.world import PARTITIONS, SteppedApi, World
from triggers.base.errors import Fenced
from triggers.clearml_api import server_now_ms
from triggers.model.items import milliseconds
from triggers.sync.clocks import correction, measure

STAGES = ["dispatch", "dispatch", "dispatch", "dispatch", "poll", "reconcile", "match:0", "match:1"]
OUTCOMES: list[Outcome] = ["ok", "ok", "ok", "ok", *FAULTS]
POINTS = ["record", "tasks.clone", "tasks.enqueue", "tasks.enqueue", "tasks.delete", "finish", "match_commit", "claim"]
#: far more than a call can be late by
LONG_SECONDS = 1_000
#: by which clocks are set, seconds
STEPS = (45, -45, 900, -900, 3_600, -3_600, 36_000, -36_000)

#: How often each action is drawn.
WEIGHTS = {
    "begin": 8,
    "go_on": 14,
    "come_to": 5,
    "overtake": 5,
    "undisturbed": 3,
    "look": 2,
    "object_fails": 2,
    "object_changes": 2,
    "agent_works": 4,
    "person_copies": 1,
    "person_pauses": 1,
    "person_edits": 3,
    "person_skips": 1,
    "time_passes": 1,
    "clock_steps": 2,
    "renew": 1,
    "expire": 3,
    "late_call": 3,
    "late_script": 2,
    "fsync": 2,
    "restart": 3,
    "restore": 1,
    "replicate": 2,
    "promote": 2,
}

ACTIONS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]

#: One action: its name, two numbers that it picks by, and the end of a call.
Action = tuple[str, int, int, Outcome]


class Interleaving(OnServer):
    """One world and what happens in it; `do` is one action."""

    stages: Sequence[str] = STAGES
    points: Sequence[str] = POINTS

    def __init__(
        self, servers: list[redis.Redis], clock: SimpleNamespace, *, max_attempts: int = 10_000, edits: bool = False
    ) -> None:
        self.clock = clock
        clock.begin()
        self.world = World(servers, settings_of_the_world(max_attempts))
        self.server = self.world.server
        self.objects: list[str] = []
        #: how often the tag appeared on an object
        self.rises: dict[str, int] = {}
        #: paused triggers by their digest: how far tokens had gone when the pause was confirmed
        self.paused: dict[str, int] = {}
        self.looked_at = 0
        #: actors that began under a run of Redis whose last second is lost
        self.forgotten: list[Actor] = []
        self.triggers = make_triggers(self.world.base)
        self.steady = list(self.triggers)
        self.editable = edited_triggers(self.world.base) if edits else []
        self.triggers += [*self.editable[:1], *self.editable[-1:]]
        self.since_ms = server_now_ms(SteppedApi(self.world), self.world.service)  # type: ignore[arg-type]
        self.declare()

    def do(self, name: str, which: int, much: int, outcome: Outcome) -> None:
        """Let one action happen; where it cannot, nothing does."""
        getattr(self, name)(which, much, outcome)

    # ---- time ----------------------------------------------------------------------------------------
    def time_passes(self, *_: object) -> None:
        """Longer than any call can be late.

        Where Redis lost its last second, also longer than any process of before was frozen: that both happen
        together is the one thing that the launch protocol cannot tell from a dead process.
        """
        self.world.trace.append("a long time passes")
        for actor in self.forgotten:
            if not actor.ended:
                self.world.finish(actor)
        self.forgotten.clear()
        while self.world.calls:
            self.world.land(self.world.calls, 0)
        self.server.now += LONG_SECONDS
        self.clock.step_redis(LONG_SECONDS)
        self.clock.skew_seconds += LONG_SECONDS

    def clock_steps(self, which: int, much: int, *_: object) -> None:
        """The clock of Redis is set back, or that which stamps changes, or `Date` goes elsewhere; the two are compared.

        Redis' clock is not set forward while calls may be late: workers wait by that clock for what was forgotten.
        """
        by = STEPS[much % len(STEPS)]
        whose = ("Redis", "the stamping clock", "Date")[which % 3]
        self.world.trace.append(f"{whose} steps by {by} s")
        if whose == "Redis":
            self.clock.step_redis(-abs(by))
        elif whose == "Date":
            self.server.date_ahead = by
            self.clocks_are_compared()
        elif self.is_read():  # two steps with no poll between them cannot be told apart
            self.world.fsync()  # and a Redis that forgets polls forgets the steps that they saw
            self.server.now += by
            self.look()
            self.world.fsync()

    def is_read(self) -> bool:
        """Poll and match; whether a poll was completed: another one may hold the lease."""
        cursor = self.world.ledger.keys.cursor("tasks")
        before = self.world.client.hget(cursor, "polled_ms")
        self.look()
        return self.world.client.hget(cursor, "polled_ms") not in (None, before)

    def clocks_are_compared(self) -> None:
        """As sync does by a write of its own."""
        before_ms = self.world.ledger.reading.stamps_ms()
        api = SteppedApi(self.world)
        pinged = api.call("tasks.ping", {"task": self.world.service})
        found = api.call("tasks.get_all", {"id": [self.world.service], "only_fields": ["last_change"]}).data["tasks"]
        measured = measure(milliseconds(found[0]["last_change"]), pinged.server_ms, 0)
        self.world.ledger.adopt_epoch()
        self.world.ledger.reading.note_stamps(correction(measured, before_ms, True)[0])

    # ---- in the processes ----------------------------------------------------------------------------
    def begin(self, which: int, much: int, *_: object) -> None:
        process = self.world.processes[which % 3]
        if len(process.actors) < 2:
            process.begin(self.stages[much % len(self.stages)])

    def _actor(self, which: int) -> Actor | None:
        actors = self.world.actors
        return actors[which % len(actors)] if actors else None

    def go_on(self, which: int, much: int, outcome: Outcome) -> None:
        """A few calls go well, the next one ends as given."""
        if (actor := self._actor(which)) is None:
            return
        for _ in range(much % 5):
            if not actor.ended:
                self.world.resume(actor)
        if not actor.ended:
            self.world.resume(actor, outcome)

    def come_to(self, which: int, much: int, outcome: Outcome) -> None:
        """All goes well up to a call of that kind, which ends as given, or is stood before."""
        if (actor := self._actor(which)) is None:
            return
        for _ in range(40):
            if actor.ended:
                return
            if self.points[much % len(self.points)] in actor.point:
                break
            self.world.resume(actor)
        if outcome != "ok" and not actor.ended:
            self.world.resume(actor, outcome)

    def overtake(self, which: int, much: int, outcome: Outcome) -> None:
        """An actor freezes where it stands, its leases expire, another does the same, perhaps not to the end."""
        if (frozen := self._actor(which)) is None:
            return
        self.world.trace.append(f"{frozen.name} freezes before {frozen.point}")
        self.world.expire()
        process = self.world.processes[(int(frozen.name[1]) + 1) % 3]
        other = process.begin(frozen.name.partition(":")[2])
        for _ in range(40 if outcome == "ok" else much):
            if not other.ended:
                self.world.resume(other)

    def undisturbed(self, which: int, *_: object) -> None:
        self.world.serve(self.stages[which % len(self.stages)])

    def look(self, *_: object) -> None:
        """Poll and match."""
        for stage in ["poll", *(f"match:{number}" for number in range(PARTITIONS))]:
            self.world.serve(stage)

    def renew(self, which: int, *_: object) -> None:
        """The lease-keeping threads of an actor wake up."""
        actor = self._actor(which)
        for keep in list(actor.keepers) if actor else ():
            try:
                keep()
            except Fenced:
                actor.keepers.remove(keep)  # type: ignore[union-attr]

    def expire(self, which: int, *_: object) -> None:
        self.world.expire(firings=which % 3 != 0, leases=which % 3 != 1)

    # ---- to calls and to Redis -----------------------------------------------------------------------
    def late_call(self, which: int, *_: object) -> None:
        if self.world.calls:
            self.world.land(self.world.calls, which % len(self.world.calls))

    def late_script(self, which: int, *_: object) -> None:
        if self.world.late_scripts:
            self.world.land(self.world.late_scripts, which % len(self.world.late_scripts))

    def fsync(self, *_: object) -> None:
        self.world.trace.append("Redis writes to disk")
        self.world.fsync()

    def restart(self, which: int, *_: object) -> None:
        """Redis dies and comes back: with everything, without what came after `fsync`, or empty."""
        if self.world.restarts >= len(self.world.servers) - 1:
            return
        if which in (0, 1) or (which > 3 and not self.world.snapshot):
            self.world.fsync()
        empty = which in (2, 3)
        if which not in (0, 1):
            self.paused.clear()  # it may be forgotten: `docs/guarantees.md` says so
        self.world.trace.append("Redis comes back " + ("empty" if empty else "as it was on disk"))
        kept = {id_: one.since_ms for id_, one in self.world.ledger.registry.snapshot().entries.items()}
        self.world.restart_redis(keep=not empty)
        self.another_run()
        if empty:  # what the service task keeps
            self.declare(kept)

    def another_run(self) -> None:
        """What follows from another run of Redis in any case."""
        self.world.epoch_skew_ms = int(self.clock.skew_seconds * 1000)
        self.forgotten = self.world.actors
        self.world.ledger.adopt_epoch()
        self.clocks_are_compared()

    def replicate(self, *_: object) -> None:
        """A replica falls behind from now on."""
        self.world.replicate()

    def promote(self, *_: object) -> None:
        """The replica takes over, without what came after."""
        if self.world.replica and self.world.restarts < len(self.world.servers) - 1:
            self.world.trace.append("a replica takes over from Redis")
            self.paused.clear()  # it may be forgotten
            self.world.promote_replica()
            self.another_run()

    def restore(self, *_: object) -> None:
        """What was on disk is put back into the Redis that runs."""
        if self.world.snapshot:
            self.world.trace.append("an older state is put into Redis")
            self.paused.clear()
            self.world.restore_redis()
            self.world.epoch_skew_ms = int(self.clock.skew_seconds * 1000)
            self.forgotten = self.world.actors

    # ---- in the end ----------------------------------------------------------------------------------
    def faults_are_over(self) -> None:
        """Everything under way arrives or ends, nothing is paused."""
        world = self.world
        world.trace.append("faults are over")
        for actor in world.actors:
            world.finish(actor)
        while world.calls:
            world.land(world.calls, 0)
        while world.late_scripts:
            world.land(world.late_scripts, 0)
        world.ledger.adopt_epoch()
        self.paused.clear()
        world.ledger.registry.edit(
            lambda known, *_: {id_: replace(one, paused=False) for id_, one in known.entries.items() if one.paused}
        )

    def round(self) -> None:
        """One round of undisturbed work, after every pause and lease has expired."""
        self.server.now += LONG_SECONDS / 10
        self.clock.step_redis(LONG_SECONDS // 10)
        self.clocks_are_compared()
        self.clock.skew_seconds += LONG_SECONDS
        self.world.fsync()
        self.world.expire()
        self.look()
        for stage in ("dispatch", "reconcile", "dispatch"):
            self.world.expire()
            self.world.serve(stage)
        for _ in range(4):
            self.agent_works(0)
