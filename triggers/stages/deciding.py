"""Deciding on events: which triggers each fires, which have to see it, and which cannot be decided on yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from triggers.base.errors import Newer, Refused, Transient, Unreadable
from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.context import Context, Plan
from triggers.ledger.firings.firing import firing_key
from triggers.ledger.matching.changes import MarkChange, change_of
from triggers.ledger.matching.matching import Remembered
from triggers.ledger.matching.undecided import UNDECIDED, UndecidedMatch, from_text, to_text
from triggers.ledger.operating.quarantine import Quarantined
from triggers.ledger.polling.batches import Batch
from triggers.ledger.registry.registry import Entry
from triggers.ledger.signing import Unsigned, parted
from triggers.model.events import Event
from triggers.rules.conditions import Condition
from triggers.rules.policies import Decision, Mark, arm, decide_by
from triggers.stages import forgotten, own

log = logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ToDecide:
    """What is decided in one step of the ledger: the events of a batch, behind what was undecided in its partition."""

    events: Sequence[Event]
    undecided: Mapping[str, str]
    batch: Batch


@dataclass(frozen=True, slots=True)
class Met:
    """An event beside a trigger that it concerns: whether it satisfies the condition, and is the trigger's own edit."""

    event: Event
    entry: Entry
    matched: bool
    of: ToDecide
    own: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """Whose mark it is about: trigger id, object id."""
        return self.entry.trigger.id, self.event.id


@dataclass(frozen=True, slots=True)
class BatchDecisions:
    """What becomes of a batch: changed marks, granted firings, and the events of objects that stay undecided."""

    changes: list[MarkChange]
    undecided: dict[str, str]


def know_transitions(ctx: Context, plan: Plan) -> None:
    """Once per registry version: let the ledger know by object what `on_transition` triggers have seen true."""
    if ctx.transitions_known != plan.snapshot.version:
        ctx.ledger.armed.index(plan.transitions, plan.entries.keys() - plan.transitions)
        ctx.transitions_known = plan.snapshot.version


def decide_each(ctx: Context, plan: Plan, batches: Sequence[ToDecide]) -> list[BatchDecisions]:
    """All decisions of some batches; what has to be read for them is read at once.

    Several events of one object are of one batch, and follow one another on the same mark.
    """
    earlier, unread = list[Met](), dict[str, list[UndecidedMatch]]()
    for one in batches:
        of_one, unread_of_one = _earlier(ctx, plan, one)
        earlier += of_one
        unread |= unread_of_one
    met = [*earlier, *_met(ctx, plan, batches, earlier)]
    known = ctx.ledger.matching.remembered([one.pair for one in met])
    looked_up, unclear = _look_up_forgotten(ctx, plan, met, known)
    blocked = unclear | {(one.trigger, id_) for id_, kept in unread.items() for one in kept}
    decidable, waiting = _apart(ctx, met, blocked, known.launchers)
    for id_, kept in unread.items():
        waiting[id_] = [*kept, *waiting.get(id_, ())]
    homes = {one.event.id: one.of for one in met} | {id_: one for one in batches for id_ in one.undecided}
    changes = _changes(ctx, plan, decidable, {**known.marks, **looked_up}, unwritten=set(looked_up))
    decided = []
    for one in batches:
        ids = [*one.undecided, *(id_ for id_ in waiting if homes[id_] is one)]
        texts = {id_: _sealed(ctx, id_, to_text(waiting.get(id_, ()))) for id_ in ids}
        changed = {id_: text for id_, text in texts.items() if text != one.undecided.get(id_, "")}
        decided.append(BatchDecisions([change for of, change in changes if of is one], changed))
    return decided


def _look_up_forgotten(
    ctx: Context, plan: Plan, met: Sequence[Met], known: Remembered
) -> tuple[dict[tuple[str, str], Mark], set[tuple[str, str]]]:
    """The marks that the ledger has forgotten, by their launches; and of which pairs it is unknown whether there are.

    Without an answer of the server, these are not decided on yet.
    """
    pairs = forgotten.may_be_forgotten(known, (one.pair for one in met if one.matched)) if known.forgotten else []
    if not pairs:
        return {}, set()
    triggers = {id_: plan.entries[id_].trigger for id_, _ in pairs}
    try:
        return forgotten.look_up(ctx.ledger, ctx.api, pairs, triggers, known.forgotten), set()
    except (Transient, Refused) as failure:
        log.warning("cannot tell whether %s fired before; retrying: %s", plural(len(pairs), "object"), failure)
        return {}, set(pairs)


def _sealed(ctx: Context, object_id: str, text: str) -> str:
    return ctx.ledger.signer.seal(UNDECIDED, object_id, text) if text else ""


def _unsealed(ctx: Context, object_id: str, sealed: str) -> str:
    """The undecided events of an object; "" where nobody with a key has kept them: they are kept for people."""
    try:
        return ctx.ledger.signer.unseal(UNDECIDED, object_id, sealed)
    except Unsigned as fault:
        log.error("%s: %.200s", fault, sealed)
        ctx.ledger.refused.note(f"{UNDECIDED} {object_id}", str(fault), ctx.ledger.now_ms())
        ctx.ledger.quarantine.keep([Quarantined(f"{UNDECIDED} {object_id}", str(fault), parted(sealed)[0])])
        return ""


def _earlier(ctx: Context, plan: Plan, of: ToDecide) -> tuple[list[Met], dict[str, list[UndecidedMatch]]]:
    """What was undecided before, judged by the triggers as they are now; and what a later release has to read."""
    met, unread = [], dict[str, list[UndecidedMatch]]()
    for id_, text in of.undecided.items():
        for one in from_text(_unsealed(ctx, id_, text)):
            try:
                event = Event.from_json(one.event)
            except Newer:
                unread.setdefault(id_, []).append(one)
                continue
            except Unreadable as fault:
                ctx.ledger.quarantine.keep([Quarantined("event", str(fault), one.event)])
                continue
            entry = plan.entries.get(one.trigger)
            if entry is not None:
                matched = _counts(entry, event, of.batch) and _matches(plan.conditions[one.trigger], event)
                met.append(Met(event, entry, matched, of))
    return met, unread


def _met(ctx: Context, plan: Plan, batches: Sequence[ToDecide], earlier: Sequence[Met]) -> list[Met]:
    """The triggers that each event concerns, in the order of the events."""
    events = [(event, of) for of in batches for event in of.events]
    matched = [[Met(event, entry, True, of) for entry in _concerned(plan, event, of.batch)] for event, of in events]
    if plan.transitions:
        armed = ctx.ledger.armed.of([event.id for event, _ in events])
        for one in [*earlier, *(one for of_event in matched for one in of_event)]:  # armed within this batch
            if one.entry.trigger.policy.fire == "on_transition":
                armed.setdefault(one.event.id, set()).add(one.entry.trigger.id)
        for (event, of), of_event in zip(events, matched, strict=True):
            others = armed.get(event.id, set()) - {one.entry.trigger.id for one in of_event}
            of_event += [Met(event, entry, False, of) for entry in _left(plan, event, others)]
    return [one for of_event in matched for one in of_event]


def _counts(entry: Entry, event: Event, batch: Batch) -> bool:
    return entry.counts(event.changed_ms, batch.latest_ms, batch.read_plan)


def _concerned(plan: Plan, event: Event, batch: Batch) -> Iterator[Entry]:
    """The triggers whose condition the event satisfies."""
    for trigger in plan.index.candidates(event):
        entry = plan.entries[trigger.id]
        if _counts(entry, event, batch) and _matches(plan.conditions[trigger.id], event):
            yield entry


def _left(plan: Plan, event: Event, armed: set[str]) -> Iterator[Entry]:
    """The `on_transition` triggers whose condition held before and does not now."""
    for id_ in sorted(armed):
        if id_ in plan.entries and not _matches(plan.conditions[id_], event):
            yield plan.entries[id_]


def _apart(
    ctx: Context, met: Sequence[Met], blocked: set[tuple[str, str]], launchers: Mapping[str, str]
) -> tuple[list[Met], dict[str, list[UndecidedMatch]]]:
    """Those that can be decided on, without own launches and most own edits; by object, those that cannot be yet.

    What follows an undecided event of the same trigger and object waits behind it.
    """
    pairs, matched = [(one.event, one.entry.trigger) for one in met], [one.matched for one in met]
    verdicts = own.judge_each(ctx.ledger, ctx.api, pairs, matched, launchers)
    decidable, waiting = [], dict[str, list[UndecidedMatch]]()
    for one, verdict in zip(met, verdicts, strict=True):
        if verdict == "undecided" or (verdict == "other" and one.pair in blocked):
            blocked.add(one.pair)
            waiting.setdefault(one.event.id, []).append(UndecidedMatch(one.entry.trigger.id, one.event.to_json()))
        elif verdict == "other":
            decidable.append(one)
        elif verdict == "own edit" and one.matched and one.entry.trigger.policy.fire == "on_transition":
            decidable.append(replace(one, own=True))
    return decidable, waiting


def _changes(
    ctx: Context,
    plan: Plan,
    met: Sequence[Met],
    first: Mapping[tuple[str, str], Mark],
    unwritten: set[tuple[str, str]],
) -> list[tuple[ToDecide, MarkChange]]:
    """What the decisions change; `unwritten` are marks that were looked up, which the ledger is to know again."""
    now = {**first, **_disarmed(ctx, plan, met, first)}
    changes = []
    for one in met:
        if one.pair not in now:
            _quarantine_mark(ctx, one.entry, one.event)
            continue
        decision = _decision(one, now[one.pair])
        if one.pair in unwritten and not decision.changed:  # the objects that change least are forgotten first
            seen_ms = max(decision.mark.changed_ms, one.event.changed_ms)
            decision = replace(decision, mark=replace(decision.mark, changed_ms=seen_ms), changed=True)
        if decision.changed:
            unwritten.discard(one.pair)
            now[one.pair] = decision.mark
            changes.append((one.of, _change(ctx, one, first[one.pair], decision)))
    return changes


def _decision(one: Met, mark: Mark) -> Decision:
    policy, changed_ms = one.entry.trigger.policy, one.event.changed_ms
    if one.own:
        return arm(mark, changed_ms)
    latest_ms = one.of.batch.latest_then_ms(changed_ms)
    return decide_by(policy, mark, matched=one.matched, changed_ms=changed_ms, latest_ms=latest_ms)


def _disarmed(
    ctx: Context, plan: Plan, met: Sequence[Met], marks: Mapping[tuple[str, str], Mark]
) -> dict[tuple[str, str], Mark]:
    """Marks of `on_transition` triggers that were armed by another condition than the present one.

    Where the object as it was when it fired does not satisfy the condition of today, that has become true since.
    """
    keys = {}
    for one in met:
        mark = marks.get(one.pair)
        if one.matched and mark and mark.active and one.entry.trigger.policy.fire == "on_transition":
            keys[one.pair] = firing_key(ctx.ledger.scheduler, *one.pair, mark.occurrence)
    firings = ctx.ledger.undecided.firings(keys.values()) if keys else {}
    disarmed = {}
    for (trigger, object_id), key in keys.items():
        firing = firings.get(key)
        if firing is not None and not firing.unread:
            try:
                then = Event.from_json(firing.event)
            except (Newer, Unreadable):
                continue
            if not _matches(plan.conditions[trigger], then):
                disarmed[trigger, object_id] = replace(marks[trigger, object_id], active=False)
    return disarmed


def _quarantine_mark(ctx: Context, entry: Entry, event: Event) -> None:
    """Decide nothing where it is unknown whether the object has fired: neither a second launch nor silence."""
    why = f"the mark of {event.id} in {ctx.ledger.matching.marks_name(entry.trigger.id)} cannot be read"
    log.error("trigger %r does not decide on %s %s: %s", entry.trigger.name, event.kind, event.id, why)
    ctx.ledger.quarantine.keep([Quarantined(f"mark for trigger {entry.trigger.id}", why, event.to_json())])


def _matches(condition: Condition, event: Event) -> bool:
    try:
        return condition.matches(event)
    except Exception:  # one trigger that cannot be evaluated must not stop the others
        log.exception("trigger %r cannot be evaluated for %s %s", condition.trigger.name, event.kind, event.id)
        return False


def _change(ctx: Context, one: Met, before: Mark, decision: Decision) -> MarkChange:
    trigger, after, polled_ms = one.entry.trigger, decision.mark, one.of.batch.polled_ms
    return change_of(ctx.ledger.scheduler, trigger, one.event, before, after, decision.occurrence, polled_ms)
