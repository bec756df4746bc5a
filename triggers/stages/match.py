"""Match: decide for each event of a partition which triggers it fires, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from triggers.base.errors import EpochChanged, Fenced, Newer, Transient, Unreadable
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.base.slowness import slowness
from triggers.context import Context, Plan
from triggers.ledger import leases
from triggers.ledger.hinted import to_send
from triggers.ledger.matching.changes import MarkChange
from triggers.ledger.matching.matchers import Taken, TakenPartition
from triggers.ledger.operating.quarantine import Quarantined
from triggers.ledger.polling.batches import BATCH, Batch, decode_batch
from triggers.ledger.signing import Unsigned
from triggers.ledger.store import ScriptCall
from triggers.model.events import Event
from triggers.stages.deciding import ToDecide, decide_each, know_transitions
from triggers.stages.turn import Turn

log = logger(__name__)

#: Stands for the batch of a partition that holds undecided events only.
NOTHING: Final = Batch(head="", plan=0, polled_ms=0, events=())


def match(ctx: Context, partition: int | None = None) -> int:
    """Match the batches that wait, oldest first in each partition, until none does or it is the turn of others.

    Any number of matchers may call it at once: a lease lets one in per partition, and a batch leaves its
    partition in the same step that grants its firings. Undecided events are looked at again before each batch,
    and once where there is none.

    Args:
        ctx: the scheduler.
        partition: the only one to match; None: all that wait, as many at a time as have events for one batch.

    Returns:
        How many firings were granted.
    """
    matching = _MatchTurn(ctx, partition)
    work = matching.take(first=True)
    if not work.partitions:
        return 0
    if work.more:
        ctx.hint("match")  # somebody else may take the others
    granted = 0
    try:
        with leases.renewing(ctx.settings.lease_seconds / 3, matching.extend):
            while work.partitions:
                count, work = matching.go_on(work)
                granted += count
                if work.partitions and matching.turn.is_over():
                    break
    finally:
        matching.give_back()
    if work.partitions or work.more:
        ctx.hint("match")
    return granted


class _MatchTurn:
    """The partitions that one matcher has, and what it does with them: by one trip from one look to the next."""

    def __init__(self, ctx: Context, only: int | None) -> None:
        self.ctx, self.only, self.turn = ctx, only, Turn(ctx, "match")
        self.held: dict[int, str] = {}
        self.left: list[int] = []

    def take(self, *before: ScriptCall, first: bool = False) -> Taken:
        """Look what waits, and hold the partitions of it. What has to be done before goes in the same trip."""
        return self._take(before, first)[1]

    def _take(self, before: Sequence[ScriptCall], first: bool = False) -> tuple[list[Any], Taken]:
        of = self.ctx.settings
        answers, taken = self.ctx.ledger.matchers.take(
            self.held,
            lease_seconds=of.lease_seconds,
            events=of.batch_events,
            only=self.only,
            left=self.left,
            first=first,
            before=before,
        )
        self.held = {one.partition: one.token for one in taken.partitions}
        return answers, taken

    def extend(self) -> None:
        """Keep the partitions; one that was lost is another matcher's, and its commit is refused."""
        for number in self.ctx.ledger.matchers.extend(dict(self.held), self.ctx.settings.lease_seconds):
            log.warning("partition %s was taken by another", number)

    def give_back(self) -> None:
        """Let others have what is still held."""
        if self.held:
            try:
                self.ctx.ledger.matchers.give_back(self.held)
            except (EpochChanged, Transient) as failure:
                log.warning(
                    "could not release %s, which expire by themselves: %s",
                    plural(len(self.held), "partition lease"),
                    failure,
                )

    def go_on(self, work: Taken) -> tuple[int, Taken]:
        """Match one batch of each partition; how many firings were granted, and what waits then."""
        ctx, plan = self.ctx, self.ctx.plan(work.registry_version)
        batches = [(one, waiting) for one in work.partitions if (waiting := self._read(plan, one))]
        if not batches:
            return 0, self.take()
        know_transitions(ctx, plan)
        decided = decide_each(ctx, plan, [waiting for _, waiting in batches])
        _name_slow(plan)
        commits, changes = [], list[MarkChange]()
        for (one, waiting), its in zip(batches, decided, strict=True):
            if waiting.batch is not NOTHING or its.changes or its.undecided:
                head = waiting.batch.head
                commits.append(
                    ctx.ledger.matching.committing(one.partition, one.token, head, its.changes, its.undecided)
                )
                changes += its.changes
        hinting = ctx.hinting(_lanes(changes))
        answers, taken = self._take([*commits, *(call for _, call in hinting)])
        for (lane, _), answer in zip(hinting, answers[len(commits) :], strict=True):
            if to_send(answer):
                ctx.hints.send(lane, ctx.ledger.scheduler)
        return sum(_granted(answer) for answer in answers[: len(commits)]), taken

    def _read(self, plan: Plan, one: TakenPartition) -> ToDecide | None:
        """What has to be decided in a partition; None where nothing can be now: it was taken away, or is left alone."""
        ctx, text = self.ctx, one.text
        if text is None:
            return ToDecide((), one.undecided, NOTHING)
        try:
            batch = _verified(ctx, one.partition, text)
            events, quarantined = _decode(batch)
        except Newer as fault:
            log.info("partition %s waits for a matcher of a later release: %s", one.partition, fault)
            self.left.append(one.partition)
            ctx.ledger.matchers.give_back({one.partition: self.held.pop(one.partition)})
            return None
        except Unsigned as fault:
            _refuse(ctx, one.partition, one.token, text, str(fault))
            return None
        except Unreadable as fault:
            _take_away(ctx, one.partition, one.token, text, str(fault))
            return None
        ctx.ledger.quarantine.keep(quarantined)
        if events and plan.snapshot.unreadable:
            ctx.ledger.unread_triggers.note(plan.snapshot.whys, min(event.changed_ms for event in events))
        return ToDecide(events, one.undecided, batch)


def _lanes(changes: Sequence[MarkChange]) -> list[str]:
    """Whom to hint of what is granted; a process that calls functions looks by itself."""
    granted = {change.grant.lane for change in changes if change.grant}
    return [lane for lane in ("dispatch", "act") if lane in granted]


def _granted(answer: Any) -> int:
    """How many firings a commit granted: none, where a mark changed in between (what is taken next is the same batch),
    or where the partition or the batch was taken by another.
    """
    if isinstance(answer, Fenced):
        log.warning("%s", answer)
        return 0
    return max(0, int(answer))


def _verified(ctx: Context, partition: int, text: str) -> Batch:
    """Read a batch that is signed for this partition, where signatures are wanted."""
    return decode_batch(ctx.ledger.signer.unseal(BATCH, str(partition), text))


def _refuse(ctx: Context, partition: int, token: str, text: str, why: str) -> None:
    log.error("%s: %.200s", why, text)
    ctx.ledger.refused.take_batch(partition, token, text, why, ctx.ledger.now_ms())


def _take_away(ctx: Context, partition: int, token: str, text: str, why: str) -> None:
    log.error("quarantined a batch of partition %s: %s: %.200s", partition, why, text)
    ctx.ledger.quarantine.take_batch(partition, token, text, why)


def _decode(batch: Batch) -> tuple[list[Event], list[Quarantined]]:
    """The events of a batch, and the lines among them that are not events."""
    events, quarantined = [], []
    for line in batch.events:
        try:
            events.append(Event.from_json(line))
        except Newer:
            raise
        except Unreadable as fault:
            log.error("quarantined an event that cannot be read: %s: %.200s", fault, line)
            quarantined.append(Quarantined("event", str(fault), line))
    return events, quarantined


def _name_slow(plan: Plan) -> None:
    """Log which triggers have expressions that take long, once in a while."""
    slow = slowness.take_fresh()
    for entry in plan.entries.values() if slow else ():
        if entry.trigger.trigger_name in slow:
            log.warning(
                "trigger %r: trigger_name=%r is slow; if it takes too long on a name, it counts as no match: "
                "write it without nested repeats",
                entry.trigger.name,
                entry.trigger.trigger_name,
            )
