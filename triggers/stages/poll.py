"""Poll: read what changed on the server, store it as batches, move the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triggers.clearml_api import narrowing, polls
from triggers.context import Context
from triggers.ledger.reading import SOURCES, Source, encode_batches, source_of
from triggers.ledger.registry import Entry, Snapshot
from triggers.model.events import Event
from triggers.model.launch_tags import service_tag
from triggers.rules import query_plan
from triggers.rules.policies import STAMP_TOLERANCE_MS
from triggers.stages.server_clock import Clocks, clear_alarm, correct_since, report_step
from triggers.stages.set_aside import entries_to_read
from triggers.windows import Window, advance, choose_window


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll did: requests' pages read, events stored."""

    pages: int
    events: int


def poll(ctx: Context, *, pace_seconds: float, force: bool = False) -> Polled | None:
    """Read every source once, if a poll is due; None when none is, or another poller is at it.

    Safe to run anywhere at any time: the lease lets one poller in, and every page is stored together with
    the cursor or not at all.

    Raises:
        ServerUnavailable, StoreUnavailable, Fenced: the next tick reads the same window again.
    """
    with ctx.ledger.reading.poll(
        pace_seconds=pace_seconds, lease_seconds=ctx.settings.lease_seconds, force=force
    ) as token:
        if token is None:
            return None
        registry = ctx.ledger.registry.snapshot()
        entries, caught_up = entries_to_read(ctx, registry)
        plan = _plan(ctx, registry)
        pages = events = 0
        clocks = Clocks(*ctx.ledger.reading.clocks())
        for source in _sources(entries):
            for stored in _read(ctx, token, source, plan, entries, clocks):
                pages, events = pages + 1, events + stored
        ctx.ledger.aside.done(caught_up)
    return Polled(pages, events)


def _plan(ctx: Context, registry: Snapshot) -> polls.Plan:
    """What these triggers need to be read; worked out once."""
    if ctx.reading is None or ctx.reading.version != registry.version:
        ctx.reading = _make_plan(registry)
    return ctx.reading


def _make_plan(registry: Snapshot) -> polls.Plan:
    triggers = [entry.trigger for entry in registry.active]
    asked = {s: query_plan.queries(t for t in triggers if source_of(t.kind) == s) for s in SOURCES}
    return polls.Plan(
        version=registry.version,
        metrics=frozenset(key for trigger in triggers for key in trigger.watched_metrics()),
        task_queries=asked["tasks"],
        model_queries=asked["models"],
    )


def _sources(entries: list[Entry]) -> list[Source]:
    """Only what triggers are served from."""
    needed = {source_of(entry.trigger.kind) for entry in entries}
    return [source for source in SOURCES if source in needed]


def _read(
    ctx: Context, token: str, source: Source, plan: polls.Plan, entries: list[Entry], clocks: Clocks
) -> Iterator[int]:
    """Read one source page by page; yields how many events each page brought."""
    reading, own = ctx.ledger.reading, service_tag(ctx.ledger.scheduler)
    serves = [entry for entry in entries if source_of(entry.trigger.kind) == source]
    cursor = reading.cursor(source)
    window = choose_window(cursor, serves, ctx.settings)
    if window is None:
        return
    memory, idle_ms = ctx.narrowing.setdefault(source, narrowing.Narrowing()), clocks.idle_ms if cursor.plan else 0
    server_ms, was_ahead = 0, cursor.ahead_ms > 0
    read = narrowing.read(ctx.api, plan, window.since_ms, memory, models=source == "models", fresh_ms=cursor.read_to_ms)
    for number, page in enumerate(read):
        server_ms = page.server_ms + clocks.stamps_ms
        fresh = _fresh(ctx, source, page.events, window, server_ms)
        fresh = [event for event in fresh if event.id != ctx.service_task and own not in event.system_tags]
        moved = advance(
            cursor,
            window,
            plan.version,
            read_to_ms=page.read_to_ms,
            last=page.last,
            server_ms=server_ms,
            idle_ms=0 if number else idle_ms,
        )
        if moved.stepped_back:
            report_step(ctx, cursor, server_ms)
        batches = encode_batches(
            fresh,
            plan=plan.version,
            polled_ms=server_ms,
            partitions=ctx.settings.partitions,
            size=ctx.settings.batch_events,
        )
        forget_before = moved.cursor.read_to_ms - int(ctx.settings.sweep_window_seconds * 2000)
        reading.commit(
            source,
            token,
            moved.cursor,
            fresh,
            batches,
            forget_before_ms=forget_before,
            server_ms=server_ms,
        )
        for partition in {number for number, _ in batches}:
            ctx.hints.send("match", ctx.ledger.scheduler, partition)
        cursor = moved.cursor
        yield len(fresh)
    correct_since(ctx, serves, server_ms, idle_ms)
    if not cursor.ahead_ms and (was_ahead or window.sweeps):
        clear_alarm(ctx, _sources(entries))


def _fresh(ctx: Context, source: Source, events: Sequence[Event], window: Window, server_ms: int) -> list[Event]:
    """What was not seen, and for new triggers what was: not what was stamped before the server's clock was set back."""
    later = {event.id for event in events if event.changed_ms > server_ms + STAMP_TOLERANCE_MS}
    if not window.again:
        return ctx.ledger.reading.unseen(source, events)
    unseen = ctx.ledger.reading.unseen(source, [event for event in events if event.id in later])
    return [event for event in events if event.id not in later or event in unseen]
