"""What a poll notes of service tasks. No trigger sees them; sync and the serving process go by it."""

from __future__ import annotations

from collections.abc import Sequence

from triggers.clearml_api.narrowing import Narrowing
from triggers.context import Context
from triggers.model.events import Event


def note_changes(ctx: Context, events: Sequence[Event]) -> None:
    """Note events of service tasks, of this scheduler's own and of others that stand for it."""
    if not events:
        return
    known = ctx.ledger.service_watch.read()
    own = next((event for event in reversed(events) if event.id == ctx.service_task), None)
    changed_ms = max(known.changed_ms, *(event.changed_ms for event in events))
    is_news = changed_ms > known.changed_ms or (own and (own.id, own.status) != (known.task, known.status))
    if is_news:
        ctx.ledger.service_watch.note(
            changed_ms=changed_ms, task=own.id if own else "", status=own.status if own else ""
        )


def note_cover(ctx: Context, source: str) -> None:
    """Note that all changed ClearML tasks were read: not while a busy server is asked for some of them only."""
    memory = ctx.memories.get(source)
    if source == "tasks" and isinstance(memory, Narrowing) and not memory.polls:
        ctx.ledger.service_watch.cover()
