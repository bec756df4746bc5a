"""Why each of the triggers did, did not or would fire for one object, those that come nearest first."""

from __future__ import annotations

from triggers.explain.gather import Around, gather, now_of
from triggers.explain.judge import judge
from triggers.explain.prepared import prepared
from triggers.explain.values import Explanation
from triggers.model.kinds import is_subject
from triggers.operate.query import last_event_of
from triggers.operate.target import Target


def explain_every(target: Target, object_id: str, *, at_most: int = 0) -> tuple[list[Explanation], int]:
    """Explain an object for the triggers on such objects (on any, if nobody knows it), a time for the schedules.

    Args:
        target: the scheduler.
        object_id: of the object.
        at_most: so many explanations, of the triggers of whose conditions the fewest clauses fail; 0 for all, in
            the order of the registry.

    Returns:
        The explanations, and how many triggers are left out.

    Raises:
        Usage: there are no credentials for the scheduler's server.
        ServerUnavailable, StoreUnavailable: no answer.
    """
    now = now_of(target, object_id)
    entries = [
        entry for entry in target.ledger.registry.snapshot().active if now is None or now.concerns(entry.trigger.kind)
    ]
    if now is None:  # a time of schedules, or an object that nobody knows
        fitting = [entry for entry in entries if is_subject(entry.trigger.kind, object_id)]
        entries = fitting or [entry for entry in entries if entry.trigger.of_objects] or entries
    known = now or (last_event_of(target, object_id) if at_most else None)
    if at_most and known is not None:
        entries = prepared(target.ledger.registry).concerned(known)
        chosen = prepared(target.ledger.registry).nearest(known, at_most)
    else:
        chosen = entries[:at_most] if at_most else entries
    around = Around(target, object_id, now)
    return [judge(gather(target, entry, object_id, around=around)) for entry in chosen], len(entries) - len(chosen)
