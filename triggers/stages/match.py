"""Match: decide for each event of a partition which triggers it fires, in order."""

from __future__ import annotations

from collections.abc import Iterator

from triggers.conditions import Condition
from triggers.errors import Newer, Unreadable
from triggers.events import Event
from triggers.ledger import leases
from triggers.ledger.firing import firing_key
from triggers.ledger.matching import Change, Grant
from triggers.ledger.poison import Poison
from triggers.ledger.reading import Batch, decode_batch
from triggers.ledger.registry import Entry
from triggers.logs import logger
from triggers.policies import Decision, Mark, decide_by
from triggers.slowness import slowness
from triggers.spec import FunctionAction
from triggers.stages.context import Context, Plan

log = logger(__name__)


def match(ctx: Context, partition: int) -> int:
    """Match all batches of one partition, oldest first; how many firings were granted.

    Any number of matchers may call it at once: a lease lets one in per partition, and a batch leaves its
    partition in the same step that grants its firings.
    """
    ledger, granted = ctx.ledger, 0
    while True:
        with leases.held(ledger.store, ledger.keys, f"match:{partition}", ctx.settings.lease_seconds) as token:
            if token is None:
                return granted
            while (first := ledger.reading.first_batch_and_version(partition)) is not None:
                text, version = first
                try:
                    count = _match_batch(ctx, ctx.plan(version), partition, token, decode_batch(text))
                except Newer as fault:
                    log.info("partition %s waits for a matcher of a later release: %s", partition, fault)
                    return granted
                except Unreadable as fault:
                    _take_away(ctx, partition, token, text, str(fault))
                    continue
                for _ in range(-(-count // ctx.settings.batch_firings)):
                    ctx.hints.dispatch(ledger.scheduler)
                granted += count
        # a batch that came between the last look and the release found the lease taken
        if ledger.reading.first_batch(partition) is None:
            return granted


def _take_away(ctx: Context, partition: int, token: str, text: str, why: str) -> None:
    log.error("a batch that nobody can read is taken out of partition %s: %s: %.200s", partition, why, text)
    ctx.ledger.poisoned.take_batch(partition, token, text, why)


def _match_batch(ctx: Context, plan: Plan, partition: int, token: str, batch: Batch) -> int:
    """Match one batch; how many firings were granted.

    Raises:
        Newer: an event in it is of a later release; nothing was changed.
    """
    events, poison = _decode(batch)
    ctx.ledger.poisoned.keep(poison)
    if events and plan.snapshot.unreadable:
        ctx.ledger.aside.note(plan.snapshot.whys, min(event.changed_ms for event in events))
    while True:
        changes = _decide(ctx, plan, batch, events)
        granted = ctx.ledger.matching.commit(partition, token, batch.head, changes)
        if granted is not None:
            return granted
        log.info("a mark changed while partition %s was being matched; deciding again", partition)


def _decode(batch: Batch) -> tuple[list[Event], list[Poison]]:
    """The events of a batch, and what stands among them that is none."""
    events, poison = [], []
    for line in batch.events:
        try:
            events.append(Event.from_json(line))
        except Newer:
            raise
        except Unreadable as fault:
            log.error("an event that nobody can read is set aside: %s: %.200s", fault, line)
            poison.append(Poison("event", str(fault), line))
    return events, poison


def _decide(ctx: Context, plan: Plan, batch: Batch, events: list[Event]) -> list[Change]:
    """All decisions of a batch. Several events of one object follow one another on the same mark."""
    met = [(event, entry, matched) for event in events for entry, matched in _concerned(plan, event)]
    if plan.transitions:
        met += _left(ctx, plan, events, {(event.id, entry.trigger.id) for event, entry, _ in met})
        order = {id(event): position for position, event in enumerate(events)}
        met.sort(key=lambda item: order[id(item[0])])
    launchers = ctx.ledger.firings.launchers([event.id for event, _, _ in met])
    met = [item for item in met if launchers.get(item[0].id) != item[1].trigger.id]
    first = ctx.ledger.matching.marks([(entry.trigger.id, event.id) for event, entry, _ in met])
    now = dict(first)
    changes = []
    for event, entry, matched in met:
        trigger, pair = entry.trigger, (entry.trigger.id, event.id)
        if pair not in now:
            _set_aside(ctx, entry, event)
            continue
        decision = decide_by(trigger.policy, now[pair], matched=matched, changed_ms=event.changed_ms)
        if decision.changed:
            now[pair] = decision.mark
            changes.append(_change(ctx, entry, event, batch, first[pair], decision))
    _name_slow(plan)
    return changes


def _name_slow(plan: Plan) -> None:
    """Log which triggers have expressions that take long, once in a while."""
    slow = slowness.take_fresh()
    for entry in plan.entries.values() if slow else ():
        if entry.trigger.trigger_name in slow:
            log.warning(
                "trigger %r: trigger_name=%r takes long; where it takes too long, or slow ones together do, it counts "
                "as no match: write it without nested repeats",
                entry.trigger.name,
                entry.trigger.trigger_name,
            )


def _set_aside(ctx: Context, entry: Entry, event: Event) -> None:
    """Decide nothing where it is unknown whether the object has fired: neither a second launch nor silence."""
    why = f"the mark of {event.id} in {ctx.ledger.keys.marks(entry.trigger.id)} cannot be read"
    log.error("trigger %r does not decide on %s %s: %s", entry.trigger.name, event.kind, event.id, why)
    ctx.ledger.poisoned.keep([Poison(f"mark for trigger {entry.trigger.id}", why, event.to_json())])


def _concerned(plan: Plan, event: Event) -> Iterator[tuple[Entry, bool]]:
    """The triggers whose condition the event satisfies."""
    for trigger in plan.index.candidates(event):
        id_ = trigger.id
        entry = plan.entries[id_]
        if entry.counts(event.changed_ms) and _matches(plan.conditions[id_], event):
            yield entry, True


def _left(
    ctx: Context, plan: Plan, events: list[Event], matched: set[tuple[str, str]]
) -> list[tuple[Event, Entry, bool]]:
    """The `on_transition` triggers whose condition held before and does not now."""
    active = ctx.ledger.matching.active([event.id for event in events])
    return [
        (event, plan.entries[id_], False)
        for event in events
        for id_ in active.get(event.id, ())
        if id_ in plan.entries and (event.id, id_) not in matched and not _matches(plan.conditions[id_], event)
    ]


def _matches(condition: Condition, event: Event) -> bool:
    try:
        return condition.matches(event)
    except Exception:  # one trigger that cannot be evaluated must not stop the others
        log.exception("trigger %r could not be evaluated for %s %s", condition.trigger.name, event.kind, event.id)
        return False


def _change(ctx: Context, entry: Entry, event: Event, batch: Batch, before: Mark, decision: Decision) -> Change:
    trigger, grant = entry.trigger, None
    if decision.occurrence is not None:
        action = trigger.action
        by_caller = isinstance(action, FunctionAction) and action.reference is None
        grant = Grant(
            key=firing_key(ctx.ledger.scheduler, trigger.id, event.id, decision.occurrence),
            trigger=trigger.id,
            kind=trigger.kind,
            object=event.id,
            occurrence=decision.occurrence,
            changed_ms=event.changed_ms,
            polled_ms=batch.polled_ms,
            event=event.to_json(),
            lane="caller" if by_caller else "dispatch",
        )
    return Change(
        trigger.id,
        event.id,
        expected=before.to_text() if before.occurrence else "",
        mark=decision.mark.to_text(),
        grant=grant,
        transitions=trigger.policy.fire == "on_transition",
    )
