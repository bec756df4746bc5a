"""Tell: console lines, tables and plots on the service task, when something has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from triggers.clearml_api import service
from triggers.clearml_api.service import ConsoleLine, Plot
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history.history import HistoryEntry
from triggers.ledger.registry.registry import Snapshot
from triggers.model.events import Event
from triggers.model.parts import is_trial, label_of, part_of
from triggers.rules.recovery import RUNNING
from triggers.sync import report, shadow_report
from triggers.sync.memory import Memory
from triggers.sync.report import DELAYS, EXECUTED, FIRINGS, ROWS, TABLES, LaunchRow, Standing
from triggers.sync.trigger_states import standings

#: Pause between two looks at the ClearML tasks that still run.
LOOK_SECONDS: Final = 15.0
#: Console lines of one turn; of more, only their number.
LINES: Final = 500
#: Launches in the plots.
POINTS: Final = 500
#: Triggers in the table of a kind; of more, only their number.
ROWS_OF_TRIGGERS: Final = 1_000
_PAGE: Final = 1000
_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the table needs of a firing: two times, the name of the object, and of a part its action."""

    changed_ms: int
    granted_ms: int
    named: str = ""
    action: str = ""


def tell(ctx: Context, scheduler: Scheduler, memory: Memory) -> int:
    """Send what is new, by two requests at most however much runs: how many lines and plots."""
    found, now_ms = memory.look, memory.look.now_ms
    snapshot = ctx.ledger.registry.snapshot(found.registry_version)
    lines, happened = _lines(ctx, memory, snapshot) if found.newest != memory.text("told") else ([], False)
    open_ones = [task for task, (status, _) in memory.value("ends").items() if status in RUNNING]
    look = happened or (bool(open_ones) and now_ms - memory.number("looked_ms") >= LOOK_SECONDS * 1000)
    stand = standings(ctx.ledger, found, snapshot, ctx.settings.max_attempts)
    tabled = f"{snapshot.version} {_digest(repr(stand))}"
    bodies = _triggers(scheduler, snapshot, stand) if memory.text("tabled") != tabled else {}
    memory.put("tabled", tabled)
    if look or not memory.text(f"plot:{EXECUTED}"):
        bodies |= _executed(ctx, scheduler, memory)
        memory.put("looked_ms", str(now_ms))
    if ctx.shadow and now_ms - memory.number("compared_ms") >= scheduler.sync_seconds * 1000:
        table = shadow_report.as_table(shadow_report.differences(ctx))
        bodies[shadow_report.TITLE] = report.table_plot(shadow_report.TITLE, table)
        memory.put("compared_ms", str(now_ms))
    plots = [Plot(title, now_ms, body) for title, body in bodies.items() if _is_new(memory, title, body)]
    service.report(ctx.api, scheduler.service_task, lines, plots)
    return len(lines) + len(plots)


def _triggers(scheduler: Scheduler, snapshot: Snapshot, stand: Mapping[str, Standing]) -> dict[str, str]:
    """The tables of the triggers, one for each kind that there is."""
    tables = {}
    for kind, title in TABLES.items():
        triggers = [entry.trigger for entry in snapshot.active if entry.trigger.kind == kind]
        if triggers:
            triggers.sort(key=lambda one: one.name)
            rows = report.trigger_table(kind, triggers[:ROWS_OF_TRIGGERS], scheduler.web, stand)
            if (more := len(triggers) - ROWS_OF_TRIGGERS) > 0:
                said = f"... and {more:,} more, see `clearml-triggers list`"
                rows.append([said, *[""] * (len(rows[0]) - 1)])
            tables[title] = report.table_plot(title, rows)
    return tables


def _is_new(memory: Memory, title: str, body: str) -> bool:
    name, digest = f"plot:{title}", _digest(body)
    if memory.text(name) == digest:
        return False
    memory.put(name, digest)
    return True


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _lines(ctx: Context, memory: Memory, snapshot: Snapshot) -> tuple[list[ConsoleLine], bool]:
    """Console lines of what happened since the last turn, and whether anything was launched."""
    lines: list[ConsoleLine] = []
    more, happened, after = 0, False, memory.text("told") or "-"
    for _ in range(_PAGES):
        entries = ctx.ledger.history.read(after, _PAGE)
        for entry in entries:
            happened = happened or entry.what in ("launched", "acted")
            said = report.console_line(entry, _trigger(snapshot, entry))
            if said and len(lines) < LINES:
                lines.append(ConsoleLine(entry.at_ms, *said))
            elif said:
                more += 1
        if entries:
            after = entries[-1].id
        if len(entries) < _PAGE:
            break
    if more:
        lines.append(ConsoleLine(ctx.ledger.now_ms(), "info", f"... and {more} more, see `clearml-triggers history`"))
    memory.put("told", after if after != "-" else "")
    return lines, happened


def _trigger(snapshot: Snapshot, entry: HistoryEntry) -> Any:
    found = snapshot.entries.get(entry.trigger)
    return found.trigger if found else None


def _executed(ctx: Context, scheduler: Scheduler, memory: Memory) -> dict[str, str]:
    """The table of what was carried out last, and the plots of the last launches."""
    found = ctx.ledger.history.latest("launched", "acted", count=ROWS + POINTS)
    found = [entry for entry in found if not is_trial(entry.firing)]
    done, launches = found[:ROWS], [entry for entry in found if entry.what == "launched"][:POINTS]
    firings = _firings(ctx, [*done, *(entry for entry in launches if entry not in done)])
    rows = _rows(ctx, memory, done, firings)
    # what was launched before, as Redis had forgotten, was launched at no time that is known here
    launches = [entry for entry in launches if entry.is_launch]
    delays = [(e.trigger, firings[e.firing].changed_ms, e.at_ms) for e in launches if e.firing in firings]
    bodies = {EXECUTED: report.table_plot(EXECUTED, report.executed_table(rows, scheduler.web))}
    if launches:
        bodies[FIRINGS] = report.firings_plot([(entry.trigger, entry.at_ms) for entry in launches])
        bodies[DELAYS] = report.delays_plot(delays)
    return bodies


def _rows(ctx: Context, memory: Memory, done: list[HistoryEntry], firings: Mapping[str, _Kept]) -> list[LaunchRow]:
    """The rows of the table: launches, functions, and the further actions of firings."""
    ends, snapshot = _ends(ctx, memory, [entry for entry in done if entry.task]), ctx.ledger.registry.snapshot()
    rows = []
    for entry in done:
        kept = firings.get(entry.firing, _Kept(entry.at_ms, entry.at_ms))
        finished = _finished(*ends.get(entry.task, ("", ""))) if entry.task else report.moment(entry.at_ms)
        trigger, part = _trigger(snapshot, entry), part_of(entry.firing)
        shown = label_of(trigger, part, kept.action) if part else (trigger.action.cell if trigger else "")
        started_ms = _started_ms(entry, kept)
        rows.append(LaunchRow(entry.trigger, entry.task, started_ms, finished, entry.object, kept.named, shown))
    return rows


def _started_ms(entry: HistoryEntry, kept: _Kept) -> int:
    """When a launch, function or action started; of one that was found launched it was soon after the change."""
    if entry.what == "launched" and not entry.is_launch:
        return kept.changed_ms
    return entry.at_ms if entry.task else kept.granted_ms


def _ends(ctx: Context, memory: Memory, entries: list[HistoryEntry]) -> dict[str, tuple[str, str]]:
    """Status and end of the ClearML tasks shown; only those that ran the last time are asked for, in one request."""
    known = {task: tuple(end) for task, end in memory.value("ends").items()}
    ask = [entry.task for entry in entries if known.get(entry.task, ("queued",))[0] in RUNNING]
    found = service.read_ends(ctx.api, ask)
    known |= {task: found.get(task, ("deleted", "")) for task in ask}
    ends = {entry.task: known[entry.task] for entry in entries}
    memory.put("ends", ends)
    return ends


def _finished(status: str, ended: str) -> str:
    """The end as the original writes it; it has no word for a task that was deleted."""
    if status in RUNNING:
        return "None"
    return ended.replace("T", " ").partition(".")[0] or status


def _firings(ctx: Context, entries: list[HistoryEntry]) -> dict[str, _Kept]:
    """What is kept by firing key, for those still kept."""
    names = ("changed_ms", "granted_ms", "event", "action")
    found = ctx.ledger.firings.read_fields([entry.firing for entry in entries], *names)
    return {
        entry.firing: _Kept(int(changed), int(granted), _name_in(event), action or "")
        for entry, (changed, granted, event, action) in zip(entries, found, strict=True)
        if changed and granted
    }


def _name_in(event: str | None) -> str:
    """The name in an event; "" where that cannot be read."""
    try:
        return Event.from_json(event or "").name
    except ValueError:
        return ""
