"""Act: carry out the firings whose action is neither a launch nor a function.

What goes to one receiver (`Action.receiver`) is apart from what goes to others: a job of its own works through it, in
a thread of its own, and two of them at most over all workers. So a receiver that takes ten seconds delays none but its
own. What goes to the ClearML server is carried out here, a batch at a time, as launches are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import redis

from triggers.actions.table import carry_out
from triggers.base.errors import EpochChanged, Fenced, Transient
from triggers.base.logs import logger
from triggers.context import Context, Plan
from triggers.ledger import leases
from triggers.ledger.firings.firing import Claim, Firing
from triggers.ledger.firings.turns import IN_FLIGHT, LANE
from triggers.model.parts import action_of
from triggers.stages.admission import admit
from triggers.stages.crew import Crew
from triggers.stages.taking import give_up_unreadable, take
from triggers.stages.turn import Turn

log = logger(__name__)

#: Firings that one job holds at a time: what is behind them can be taken by the other job, paused, or dropped.
AT_ONCE = 10


def act(ctx: Context, crew: Crew | None = None) -> int:
    """Take the firings that are due, until none is; how many were taken.

    Any number of processes may call it at once, on any host.

    Args:
        ctx: the scheduler.
        crew: whose threads wait for receivers, after this has returned; None: returns when all are done.
    """
    if crew is None:
        with Crew() as own:
            return act(ctx, own)
    taken, turn = 0, Turn(ctx, LANE)
    while True:
        claim = take(ctx, LANE, ctx.settings.batch_firings, hinted=not taken)
        taken += len(claim.firings)
        _give_out(ctx, claim, crew)
        if not claim.firings:
            break
        if turn.is_over():
            turn.pass_on()
            break
    for receiver in ctx.ledger.turns.waiting():  # whose job died, or found all threads busy
        _Job(ctx, receiver, crew).begin()
    return taken


def _give_out(ctx: Context, claim: Claim, crew: Crew) -> None:
    """Begin a job for each receiver; what goes to the ClearML server is carried out here."""
    plan = ctx.plan(claim.registry_version)
    firings = defaultdict[str, list[Firing]](list)
    for firing in claim.firings:
        firings[receiver_of(plan, firing)].append(firing)
    here = firings.pop("", [])
    for receiver, of_it in firings.items():
        rest = of_it
        for _ in range(IN_FLIGHT):
            if rest and _Job(ctx, receiver, crew, rest[:AT_ONCE], claim.registry_version).begin():
                rest = rest[AT_ONCE:]
        if rest:
            ctx.ledger.turns.line_up(receiver, rest)
            _Job(ctx, receiver, crew).begin()  # its jobs may have ended meanwhile, having found nothing
    if here:
        with leases.renewing(ctx.settings.lease_seconds / 3, _Keeper(ctx, here).extend):
            _carry_out(ctx, here, claim.registry_version)


def receiver_of(plan: Plan, firing: Firing) -> str:
    """The host that a firing's action sends to, by the trigger as it is now; "" where that says none."""
    entry = plan.snapshot.entries.get(firing.trigger)
    action = action_of(entry.trigger, firing.part, firing.action) if entry else None
    return action.receiver if action else ""


def _carry_out(ctx: Context, firings: Sequence[Firing], registry_version: int) -> None:
    ctx.know_epoch()
    carry_out(admit(ctx, ctx.plan(registry_version), firings, LANE))
    if any(firing.has_parts for firing in firings):
        ctx.hint("act")


@dataclass
class _Keeper:
    """Extends the leases of firings, and of the turn that is used for them."""

    ctx: Context
    firings: Sequence[Firing]
    turn: tuple[str, str] | None = None

    def extend(self) -> None:
        seconds = self.ctx.settings.lease_seconds
        lost = set(self.ctx.ledger.firings.renew(LANE, self.firings, seconds))
        self.firings = [firing for firing in self.firings if firing.key not in lost]
        if self.turn and not self.ctx.ledger.turns.extend(self.turn, seconds):
            raise Fenced(f"the turn {self.turn[0]} was taken by another")


@dataclass
class _Job:
    """Works through what goes to one receiver, one after the other, as long as something waits for it."""

    ctx: Context
    receiver: str
    crew: Crew
    firings: Sequence[Firing] = field(default_factory=list)
    registry_version: int = 0

    def begin(self) -> bool:
        """Begin in a thread of the crew, if it is our turn at the receiver and a thread is free."""
        turns = self.ctx.ledger.turns
        turn = turns.take(self.receiver, self.ctx.settings.lease_seconds)
        if turn is None:
            return False
        if not self.crew.begin(f"act {self.receiver}", lambda: self._run(turn)):
            turns.give_back(turn)
            return False
        return True

    def _run(self, turn: tuple[str, str]) -> None:
        try:
            keeper = _Keeper(self.ctx, self.firings, turn)
            with leases.renewing(self.ctx.settings.lease_seconds / 3, keeper.extend):
                self._work(keeper)
            self.ctx.ledger.turns.give_back(turn)
        except (EpochChanged, Fenced, Transient, redis.RedisError) as failure:
            # leases expire, and what was begun comes up again by itself
            self.ctx.ledger.store.look_for_primary(failure)
            log.warning("cannot finish the actions for %s now; retrying: %s", self.receiver, failure)
            return
        if not self.crew.ending and self.receiver in self.ctx.ledger.turns.waiting():
            _Job(self.ctx, self.receiver, self.crew).begin()  # it lined up between our last look and the turn's end

    def _work(self, keeper: _Keeper) -> None:
        while True:
            if self.firings:
                _carry_out(self.ctx, self.firings, self.registry_version)
            if self.crew.ending:
                return
            claim = self.ctx.ledger.turns.claim(self.receiver, AT_ONCE, self.ctx.settings.lease_seconds)
            give_up_unreadable(self.ctx, claim, LANE)
            if not claim.firings:
                return
            self.firings, self.registry_version = claim.firings, claim.registry_version
            keeper.firings = self.firings
