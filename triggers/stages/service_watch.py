"""What a poll notes of service tasks. No trigger sees them; sync and the serving process go by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from triggers.clearml_api.narrowing import Narrowing
from triggers.context import Context
from triggers.ledger.looks.poll_look import PollLook
from triggers.ledger.polling.service_watch import SeenServiceTask
from triggers.model.events import Event
from triggers.model.launch_tags import service_tag

#: Pause between two notes that all was read: far less than `SeenServiceTask.is_covered` allows.
_COVER_MS: Final = 5_000


def seen_with(
    ctx: Context, known: SeenServiceTask, events: Sequence[Event]
) -> tuple[SeenServiceTask, Mapping[str, str]]:
    """What is known of service tasks with those of a page, and what of it is new: this goes where the page is stored.

    They are the scheduler's own and others that stand for it. Those of other schedulers say nothing here: of N
    schedulers each would look after every change of the others.
    """
    tag = service_tag(ctx.ledger.scheduler)
    events = [event for event in events if event.id == ctx.service_task or tag in event.system_tags]
    if not events or not _news(known, events, ctx.service_task):
        return known, {}
    changed_ms = max(known.changed_ms, *(event.changed_ms for event in events))
    new, own = {"changed_ms": str(changed_ms)}, _last_of(events, ctx.service_task)
    if own is None:
        return replace(known, changed_ms=changed_ms), new
    seen = replace(known, changed_ms=changed_ms, task=own.id, status=own.status)
    return seen, {**new, "task": own.id, "status": own.status}


def _news(known: SeenServiceTask, events: Sequence[Event], service_task: str) -> bool:
    """Whether any of it is not known yet."""
    own = _last_of(events, service_task)
    later = max(event.changed_ms for event in events) > known.changed_ms
    return later or (own is not None and (own.id, own.status) != (known.task, known.status))


def _last_of(events: Sequence[Event], task: str) -> Event | None:
    return next((event for event in reversed(events) if event.id == task), None)


def note_cover(ctx: Context, look: PollLook, source: str, *, in_order: bool) -> None:
    """Note whether all changed ClearML tasks were read: not while a busy server is asked for some of them only.

    Args:
        ctx: the scheduler.
        look: as the poll began.
        source: that was read.
        in_order: later changes have later times; not until a clock that was set back has caught up.
    """
    memory = ctx.memories.get(source)
    if source != "tasks" or not isinstance(memory, Narrowing):
        return
    if memory.narrowed or not in_order:
        ctx.ledger.service_watch.miss(look.now_ms)
    elif look.now_ms - look.service.covered_ms >= _COVER_MS:
        ctx.ledger.service_watch.cover(look.now_ms)
