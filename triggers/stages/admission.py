"""Admission: may a claimed firing be launched now? Deleted, paused, paced and overlapping triggers say no."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from triggers.actions.attempt import ATTEMPTS_PER_FAILURE, Attempt
from triggers.actions.endings import UNREAD_SECONDS, ending
from triggers.actions.launching.looking import look_for_launches
from triggers.actions.python_function import FunctionAction
from triggers.base.errors import Fenced
from triggers.base.exhaustive import assert_never
from triggers.base.logs import logger
from triggers.base.plural import often, plural, word
from triggers.clearml_api import stops
from triggers.context import Context, Plan
from triggers.ledger.firings.firing import Beginning, Firing
from triggers.ledger.history import alarms
from triggers.ledger.registry.registry import Entry
from triggers.model import make_trigger
from triggers.model.action import Lane
from triggers.model.parts import action_of, firing_of, key_of, list_of, parts
from triggers.model.trigger import ScheduleTrigger
from triggers.rules.policies import limit_of
from triggers.stages import slots

log = logger(__name__)

#: Longest pause between two looks whether a firing that has been resolved since was carried out.
SETTLE_SECONDS = 30.0

#: Pause before a launch that is under way is looked at again, to abort it, seconds.
CANCEL_SECONDS = 1.0


def admit(
    ctx: Context,
    plan: Plan,
    firings: Iterable[Firing],
    lane: Lane = "dispatch",
    begun: Collection[str] = (),
) -> list[Attempt]:
    """Resolve the triggers as they are now and ask whether to go on; the attempts that do.

    A firing with a recorded ClearML task was admitted before and is always carried on. Whatever goes wrong with
    one ends its attempt and no other. `begun`: keys of those that began with their claim; they have nothing more to ask
    for, unless the trigger was edited to take a slot since.
    """
    attempts = []
    for firing in firings:
        entry = plan.snapshot.entries.get(firing.trigger)
        if entry is None and firing.task and lane == "dispatch" and firing.trigger not in plan.snapshot.unreadable:
            entry = _deleted(firing)  # what is recorded may run: it is settled first
        if entry is None:
            _without_trigger(ctx, plan, firing, lane)
        else:
            attempts.append(Attempt(ctx, firing, entry, lane))
    fresh = [attempt for attempt in attempts if not attempt.firing.task]
    asking = []
    for attempt in fresh:
        with ending(attempt):
            if beginning := _resolve(attempt, plan):
                asking.append((attempt, beginning))
    if lane == "dispatch" and not ctx.shadow:
        # before the pace is counted: what was launched before, as far as Redis has forgotten it, counts for none
        look_for_launches([attempt for attempt, _ in asking])
    asking = [(attempt, beginning) for attempt, beginning in asking if not attempt.done]
    _begin(ctx, [one for one in asking if one[1].slot or one[0].firing.key not in begun])
    if ctx.shadow:
        for attempt in fresh:
            if not attempt.done:
                with ending(attempt):
                    attempt.action.pretend(attempt)
    return [attempt for attempt in attempts if not attempt.done]


def admit_again(attempts: Sequence[Attempt], plan: Plan) -> None:
    """Ask once more for those whose recorded draft was withdrawn: what is launched now is launched anew.

    Else a pause, or another edit, that came after the first time would not hold.
    """
    asking = []
    for attempt in attempts:
        with ending(attempt):
            if beginning := _resolve(attempt, plan):
                asking.append((attempt, beginning))
    if asking:
        _begin(asking[0][0].ctx, asking)


def _deleted(firing: Firing) -> Entry:
    """Stand in for a trigger that was deleted: retired, so that nothing is launched anew."""
    action = FunctionAction(type="function", name="deleted")
    return Entry(make_trigger(firing.kind, name="deleted trigger", action=action), 0, 0, "", retired=True)


def _without_trigger(ctx: Context, plan: Plan, firing: Firing, lane: Lane) -> None:
    """Skip a firing whose trigger was deleted; one whose trigger cannot be read waits for who can."""
    unread = plan.snapshot.unreadable.get(firing.trigger)
    try:
        if unread is None:
            ctx.ledger.firings.skip(firing, lane, "the trigger was deleted")
        else:
            ctx.ledger.firings.snooze(firing, lane, UNREAD_SECONDS, unread.why, untouched=True)
    except Fenced as loss:
        log.warning("firing %s: %s", firing.key, loss)


def _resolve(attempt: Attempt, plan: Plan) -> Beginning | None:
    """Ask all but Redis; None when this attempt is over."""
    ctx, firing, entry = attempt.ctx, attempt.firing, attempt.entry
    if attempt.slot and not slots.know(ctx, plan):
        attempt.snooze(
            ctx.settings.lease_seconds / 2,
            "a launch that Redis forgot may have the slot: waiting until the ClearML server shows it",
        )
    elif entry.retired:
        attempt.skip("the trigger is no longer declared")
    elif action_of(attempt.trigger, firing.part, firing.action) is None:
        attempt.skip(f"the trigger was edited: it has no action {firing.part} any more")
    elif entry.paused and not attempt.is_trial:
        _hold_to_pause(attempt)
    elif len(firing.attempts) > ctx.settings.max_attempts * ATTEMPTS_PER_FAILURE:
        attempt.give_up(f"{plural(len(firing.attempts), 'attempt')} began and none ended: its workers died or hung")
    elif (lane := attempt.action.lane) != attempt.lane:
        attempt.move(lane)
    elif list_of(firing.part) == "on_resolved" and not firing.is_trial and not _is_settled(attempt):
        return None
    else:
        return _beginning(attempt)
    return None


def _is_settled(attempt: Attempt) -> bool:
    """Whether what is to be resolved has been carried out; else the attempt waits, or has nothing to resolve and ends.

    An incident that is closed before it was opened stays open.
    """
    ctx, key = attempt.ctx, firing_of(attempt.firing.key)
    keys = [key_of(key, part) for part in ("", *(part for part, _ in parts(attempt.trigger, "actions")))]
    found = ctx.ledger.firings.read_fields(keys, "state", "task")
    states = [state for state, _ in found]
    if any(state in ("waiting", "held") for state in states):
        age = (ctx.ledger.now_ms() - attempt.firing.granted_ms) / 1000
        pause = max(1.0, min(SETTLE_SECONDS, age / 4))
        attempt.snooze(pause, "waiting until the firing that it resolves has been carried out")
        return False
    if states[0] in ("skipped", "dropped", "shadow") and not ctx.shadow:
        attempt.skip(f"the firing that it would resolve was {states[0]}")
        return False
    attempt.firing = replace(attempt.firing, launched=found[0][1] or "")
    return True


def _beginning(attempt: Attempt) -> Beginning | None:
    """Look at who holds the slot, where one is needed."""
    ctx, slot, ended_holder = attempt.ctx, attempt.slot, ""
    if slot:
        holder, task_id, held = slots.holder_of(attempt)
        if held == "unclear":
            attempt.snooze(
                ctx.settings.lease_seconds / 2,
                f"ClearML task {task_id} was launched, but the server does not show it in its queue yet",
            )
            return None
        if held == "ended":
            ended_holder = holder
    limit = limit_of(attempt.trigger.policy, ctx.settings.max_per_minute)
    return Beginning(attempt.firing, slot, ended_holder, 0 if attempt.firing.part or attempt.is_trial else limit)


def _begin(ctx: Context, asking: Sequence[tuple[Attempt, Beginning]]) -> None:
    """Count them against their pace and bind their slots; who may not go on waits, or ends."""
    if not asking:
        return
    answers = ctx.ledger.firings.begin([beginning for _, beginning in asking])
    for (attempt, beginning), answer in zip(asking, answers, strict=True):
        with ending(attempt):
            if isinstance(answer, Fenced):
                raise answer
            begun, holder = answer
            match begun:
                case "go":
                    pass
                case "pace":
                    _hold_to_pace(attempt, beginning.per_minute)
                case "busy":
                    _overlap(attempt, holder)
                case other:
                    assert_never(other)


def _cancel(attempt: Attempt, first: str, task_id: str) -> None:
    """Abort the previous launch, and wait until it has ended; of several that wait only the newest goes on."""
    if not task_id:  # it is being launched: nothing can be aborted yet
        attempt.snooze(CANCEL_SECONDS, f"single instance: waiting until {first} is launched, to abort it")
        return
    stops.stop(attempt.ctx.api, task_id, f"overlap='cancel_previous' of {attempt.trigger.called}")
    attempt.hold(f"slot:{attempt.slot}", f"single instance: aborted {first}, waiting for its end", latest=True)


def _hold_to_pause(attempt: Attempt) -> None:
    """Hold it until the trigger is resumed; of the times of a schedule those that are made up for then."""
    catch_up = attempt.trigger.catch_up if isinstance(attempt.trigger, ScheduleTrigger) else "all"
    if catch_up == "none":
        attempt.skip("the schedule was paused at that time, and catch_up='none'")
    else:
        latest = catch_up == "last"
        attempt.hold(f"pause:{attempt.firing.trigger}", "the trigger is paused", latest=latest)


def _hold_to_pace(attempt: Attempt, limit: int) -> None:
    attempt.hold(f"pace:{attempt.firing.trigger}", f"more than {limit} {word(limit, 'launch', 'launches')} a minute")
    text = f"{attempt.trigger.called} fires more than {often(limit)} a minute; the rest is held"
    attempt.ctx.ledger.history.raise_alarm(
        f"{alarms.PACE.name}{attempt.firing.trigger}", text, attempt.firing.granted_ms
    )


def _overlap(attempt: Attempt, holder: str) -> None:
    key, _, task_id = holder.partition(" ")
    first = f"ClearML task {task_id}" if task_id else f"firing {key}"
    match attempt.trigger.policy.overlap:
        case "cancel_previous":
            _cancel(attempt, first, task_id)
        # "all" needs no slot of its own: here it waits for a task that is reused
        case "skip":
            attempt.skip(f"single instance: {first} had not ended", task_id)
        case "queue" | "latest" | "all" as overlap:
            waits = f"single instance: waiting for {first}"
            attempt.hold(f"slot:{attempt.slot}", waits, latest=overlap == "latest")
        case other:
            assert_never(other)
