"""Poll: read what changed on the server, store what concerns a trigger as batches, move the cursor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from triggers import sources
from triggers.base.errors import Refused, ServerUnavailable
from triggers.context import Context
from triggers.ledger.looks.poll_look import PollLook
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.rules.api_budget import LONGEST_POLL_SECONDS
from triggers.sources import Page, Source
from triggers.sources.windows import Window, sweeping_back
from triggers.stages.pace import stretch
from triggers.stages.quarantine import entries_to_read
from triggers.stages.server_clock import Clocks, clear_alarm, clocks_of, correct_since, latest_stamp, report_step
from triggers.stages.service_watch import note_cover, seen_with
from triggers.stages.storing import PageStore


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll did: requests' pages read, events stored."""

    pages: int
    events: int


def poll(ctx: Context, *, pace_seconds: float, quiet_seconds: float = 0.0, force: bool = False) -> Polled | None:
    """Read every source once, if a poll is due; None when none is, or another poller is at it.

    Safe to run anywhere at any time: the lease lets one poller in, and every page is stored together with
    the cursor or not at all. `quiet_seconds`: the pace after ten quiet minutes, where the script chose none.

    Raises:
        ServerUnavailable, Refused: a source could not be read; what the others brought is stored.
        StoreUnavailable, Fenced: the next tick reads the same window again.
    """
    with ctx.ledger.reading.poll(
        pace_seconds=pace_seconds,
        lease_seconds=ctx.settings.lease_seconds,
        force=force,
        longest_seconds=max(quiet_seconds, LONGEST_POLL_SECONDS if ctx.settings.api_calls_per_month else 0.0),
        limit=ctx.settings.api_calls_per_month,
    ) as token:
        if token is None:
            return None
        look = ctx.ledger.look_before_poll([source.name for source in sources.SOURCES])
        registry = ctx.ledger.registry.snapshot(look.registry_version)
        entries, caught_up = entries_to_read(ctx, look, registry)
        _know_needs(ctx, registry)
        pages = events = 0
        failures = []
        for source in sources.serving(entries):
            try:
                for stored in _read(ctx, token, look, source, registry.version, entries):
                    pages, events = pages + 1, events + stored
            except (ServerUnavailable, Refused) as failure:  # the other sources may be readable
                failures.append(failure)
        read, quiet_pace = len(list(sources.serving(entries))), 0.0 if failures else quiet_seconds
        stretch(ctx, token, pace=pace_seconds, quiet_pace=quiet_pace, sources=read)
        if failures:
            raise failures[0]
        ctx.ledger.unread_triggers.done(caught_up)
    return Polled(pages, events)


def _know_needs(ctx: Context, registry: Snapshot) -> None:
    """Work out what these triggers need to be read; once per registry version."""
    if ctx.needs_version != registry.version:
        triggers = [entry.trigger for entry in registry.active]
        ctx.needs = {source.name: source.needs(sources.triggers_of(source, triggers)) for source in sources.SOURCES}
        ctx.needs_version = registry.version


def _read(
    ctx: Context, token: str, look: PollLook, source: Source, version: int, entries: list[Entry]
) -> Iterator[int]:
    """Read one source page by page; yields how many events of each page were stored."""
    serves = sources.of_source(source, entries)
    cursor = look.cursors[source.name]
    window = source.window(cursor, serves, ctx.settings)
    if window is None:
        return
    if source.name in ctx.cut_short:  # what is new comes last, and must not wait for a server that fails amid each walk
        ctx.cut_short.discard(source.name)
        window = window.fresh(cursor)
    clocks = clocks_of(ctx, look, source)
    unread_ms, was_ahead = clocks.idle_ms, cursor.ahead_ms > 0
    if source.name not in ctx.memories:
        ctx.memories[source.name] = source.memory()
    needs, memory = ctx.needs[source.name], ctx.memories[source.name]
    read = source.poll(ctx.api, needs, window.since_ms, memory, cursor.read_to_ms)
    began, known = time.monotonic(), look.service
    pages = _noting_cuts(ctx, source, window, _stamped(read, clocks))
    for number, page in enumerate(pages):
        now_ms = page.now_ms
        moved = source.advance(cursor, window, version, page, idle_ms=0 if number else unread_ms)
        if moved.stepped_back and source.by_server_clock:
            unnoticed_ms = ctx.ledger.reading.noticed_ms(unread_ms)
            moved = replace(moved, cursor=sweeping_back(moved.cursor, unnoticed_ms, ctx.settings))
        latest_ms = latest_stamp(moved.cursor, now_ms, time.monotonic() - began)
        after = replace(moved.cursor, latest_ms=latest_ms)
        service = {event.id for event in page.events if source.is_service(event, ctx.service_task)}
        known, noted = seen_with(ctx, known, [event for event in page.events if event.id in service])
        objects = [event for event in page.events if event.id not in service]
        if moved.stepped_back:
            report_step(ctx, source.clock, cursor, now_ms)
            window = replace(window, overlaps=False, sweeps=False)  # of what has changed since, it began too late
        if source.by_server_clock:  # before the commit: whatever ends this poll first, the next one knows as much
            correct_since(ctx, serves, moved, cursor.plan, now_ms, unread_ms)
        page_store = PageStore(ctx, source, token, look, version, cursor, moved, after, window, now_ms, noted)
        stored = page_store.store(objects)
        cursor, unread_ms = after, int((time.monotonic() - began) * 1000)
        yield stored
    note_cover(ctx, look, source.name, in_order=not cursor.ahead_ms)
    if not cursor.ahead_ms and (was_ahead or window.sweeps):
        clear_alarm(ctx, sources.serving(entries))


def _noting_cuts(ctx: Context, source: Source, window: Window, pages: Iterator[Page]) -> Iterator[Page]:
    """The pages; if they end amid an overlap read or a sweep, the next poll reads what is new first.

    The one after it reads all again, from where the last such read that was whole has ended.
    """
    began = False
    try:
        for page in pages:
            yield page
            began = True
    except (ServerUnavailable, Refused):
        if began and window.rereads:
            ctx.cut_short.add(source.name)
        raise


def _stamped(pages: Iterator[Page], clocks: Clocks) -> Iterator[Page]:
    """The pages with the time of the clock that stamps changes, as far as that is known to differ."""
    return (replace(page, now_ms=page.now_ms + clocks.stamps_ms) for page in pages)
