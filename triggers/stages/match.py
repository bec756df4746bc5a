"""Match: decide for each event of a partition which triggers it fires, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from triggers.base.errors import Newer, Unreadable
from triggers.base.logs import logger
from triggers.base.slowness import slowness
from triggers.context import Context, Plan
from triggers.ledger.matching import MarkChange
from triggers.ledger.quarantine import Quarantined
from triggers.ledger.reading import BATCH, Batch, decode_batch
from triggers.ledger.signing import Unsigned
from triggers.model.events import Event
from triggers.stages.deciding import decide, know_transitions

log = logger(__name__)

#: Stands for the batch of a partition that holds undecided events only.
NOTHING: Final = Batch(head="", plan=0, polled_ms=0, events=())


def match(ctx: Context, partition: int) -> int:
    """Match all batches of one partition, oldest first; how many firings were granted.

    Any number of matchers may call it at once: a lease lets one in per partition, and a batch leaves its
    partition in the same step that grants its firings. Undecided events are looked at again before each batch,
    and once where there is none.
    """
    ledger, granted = ctx.ledger, 0
    while True:
        with ledger.lease(f"match:{partition}", ctx.settings.lease_seconds) as token:
            if token is None:
                return granted
            while True:
                text, version, undecided = ledger.reading.first(partition)
                if text is None and not undecided:
                    break
                try:
                    batch = _verified(ctx, partition, text) if text is not None else NOTHING
                    count = _match_batch(ctx, ctx.plan(version), partition, token, batch, undecided)
                except Newer as fault:
                    log.info("partition %s waits for a matcher of a later release: %s", partition, fault)
                    return granted
                except Unsigned as fault:
                    _refuse(ctx, partition, token, text or "", str(fault))
                    continue
                except Unreadable as fault:
                    _take_away(ctx, partition, token, text or "", str(fault))
                    continue
                granted += count
                if text is None:
                    break
        # a batch that came between the last look and the release found the lease taken
        if ledger.reading.first_batch(partition) is None:
            return granted


def _verified(ctx: Context, partition: int, text: str) -> Batch:
    """Read a batch that is signed for this partition, where signatures are wanted."""
    return decode_batch(ctx.ledger.signer.unseal(BATCH, str(partition), text))


def _refuse(ctx: Context, partition: int, token: str, text: str, why: str) -> None:
    log.error("%s: %.200s", why, text)
    ctx.ledger.refused.take_batch(partition, token, text, why, ctx.ledger.now_ms())


def _take_away(ctx: Context, partition: int, token: str, text: str, why: str) -> None:
    log.error("quarantined a batch of partition %s: %s: %.200s", partition, why, text)
    ctx.ledger.quarantine.take_batch(partition, token, text, why)


def _match_batch(
    ctx: Context, plan: Plan, partition: int, token: str, batch: Batch, undecided: Mapping[str, str]
) -> int:
    """Match one batch, behind the events that were undecided before; how many firings were granted.

    Raises:
        Newer: an event in it is of a later release; nothing was changed.
    """
    events, quarantined = _decode(batch)
    ctx.ledger.quarantine.keep(quarantined)
    if events and plan.snapshot.unreadable:
        ctx.ledger.unread_triggers.note(plan.snapshot.whys, min(event.changed_ms for event in events))
    know_transitions(ctx, plan)
    while True:
        decided = decide(ctx, plan, events, undecided, batch)
        _name_slow(plan)
        if batch is NOTHING and not decided.changes and not decided.undecided:
            return 0
        granted = ctx.ledger.matching.commit(partition, token, batch.head, decided.changes, decided.undecided)
        if granted is not None:
            if granted:
                _hint(ctx, decided.changes)
            return granted
        log.info("a mark changed while partition %s was matched; deciding again", partition)


def _hint(ctx: Context, changes: Sequence[MarkChange]) -> None:
    """Hint those who carry out what was granted; a process that calls functions looks by itself."""
    lanes = Counter(change.grant.lane for change in changes if change.grant)
    for _ in range(-(-lanes["dispatch"] // ctx.settings.batch_firings)):
        ctx.hints.send("dispatch", ctx.ledger.scheduler)
    if lanes["act"]:  # one: it goes on until nothing is due
        ctx.hints.send("act", ctx.ledger.scheduler)


def _decode(batch: Batch) -> tuple[list[Event], list[Quarantined]]:
    """The events of a batch, and the lines among them that are no events."""
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
