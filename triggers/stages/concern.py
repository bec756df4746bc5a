"""Concern: which of the changes that a poll has read are stored. The others are only remembered as seen.

Leaving a change out comes to the same as matching it at once, with the triggers as they are: it would fire nothing
then, and no trigger would see its condition become false.
"""

from __future__ import annotations

from collections.abc import Sequence

from triggers.context import Context, Plan
from triggers.model.events import Event
from triggers.stages.deciding import know_transitions


def concerning(ctx: Context, events: Sequence[Event], version: int | None = None) -> list[Event]:
    """The events that some trigger may fire for, or may have to see as false.

    The triggers are those that are registered after the events were read: a change that was made after an edit is
    read after it, and so judged by what was edited. A trigger that is new reads what it has missed in the next poll.

    While this process cannot read some trigger, all of them: the process that matches them may know it.

    Args:
        ctx: the scheduler.
        events: what was read.
        version: the registry's, where it was asked for after that; None to ask now.
    """
    if not events:
        return []
    plan = ctx.plan(version)
    if plan.snapshot.unreadable:
        return list(events)
    concerned = [_may_match(plan, event) for event in events]
    others = [event.id for event, concerns in zip(events, concerned, strict=True) if not concerns]
    armed = set[str]()
    if plan.transitions and others:
        know_transitions(ctx, plan)
        # an event of the same page may arm a trigger for the next one of its object
        arming = {event.id for event, concerns in zip(events, concerned, strict=True) if concerns}
        armed = arming | ctx.ledger.armed.or_soon(others, plan.transitions)
    return [event for event, concerns in zip(events, concerned, strict=True) if concerns or event.id in armed]


def _may_match(plan: Plan, event: Event) -> bool:
    try:
        return any(plan.conditions[trigger.id].may_match(event) for trigger in plan.index.candidates(event))
    except Exception:  # match says what is wrong with it, and with which trigger
        return True
