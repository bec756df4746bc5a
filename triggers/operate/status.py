"""How a scheduler is doing: its stages, what waits where, how much happens, alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from triggers import sources
from triggers.base.plural import plural
from triggers.ledger.history.history import HistoryEntry
from triggers.operate.api_budget import ApiBudget, read_budget, waits
from triggers.operate.history import Filter, newest
from triggers.operate.target import Target
from triggers.operate.times import ago, span
from triggers.stages import table

#: What lies longer than this before a stage, ms, lies too long: reconcile gives hints every two seconds.
LATE_MS = 30_000

#: The stretch of time over which rates are counted, ms.
RATE_MS = 300_000

HealthWord = Literal["ok", "late", "idle"]


@dataclass(frozen=True, slots=True)
class StageStatus:
    """One stage: `waiting` things lie before it, the oldest of them for `oldest_ms`; `words` say how it is."""

    name: str
    state: HealthWord
    waiting: int
    oldest_ms: int
    words: str


@dataclass(frozen=True, slots=True)
class SchedulerStatus:
    """A scheduler at one moment. `rates`: what happened how often a minute, over the last five."""

    now_ms: int
    stages: tuple[StageStatus, ...]
    read_to_ms: int
    triggers: int
    paused: int
    muted: int
    holds: Mapping[str, int]
    failing: int
    dead: int
    rates: Mapping[str, float]
    alarms: Mapping[str, str]
    home: str
    last: tuple[HistoryEntry, ...]
    #: worker → why it does not serve this scheduler
    left_alone: Mapping[str, str] = field(default_factory=dict)
    #: calls to the ClearML API this month, of all schedulers on this Redis
    api_calls: ApiBudget | None = None

    @property
    def is_well(self) -> bool:
        """Whether every stage gets somewhere."""
        return all(stage.state != "late" for stage in self.stages)


def read_status(target: Target, *, last: int = 5) -> SchedulerStatus:
    """Read it, in a handful of requests to Redis."""
    ledger, now_ms = target.ledger, target.ledger.now_ms()
    active = (snapshot := ledger.registry.snapshot()).active
    cursors = [ledger.reading.cursor(source.name) for source in sources.serving(active)]
    tallies = ledger.history.recent(now_ms - RATE_MS)
    counts: dict[str, int] = {}
    for tally in tallies:
        counts[tally.what] = counts.get(tally.what, 0) + tally.count
    holder, budget = ledger.homes.holder(), read_budget(ledger, target.settings.api_calls_per_month)
    return SchedulerStatus(
        now_ms=now_ms,
        stages=(_poll(target, now_ms, bool(active), budget), *_others(target, now_ms)),
        read_to_ms=min((cursor.read_to_ms for cursor in cursors if cursor.plan), default=0),
        triggers=len(active),
        paused=sum(entry.paused for entry in active),
        muted=sum(snapshot.get(id_) is not None for id_ in ledger.mutes.at(now_ms)),
        holds={hold: ledger.operations.held_count(hold) for hold in ledger.firings.holds()},
        failing=len(ledger.retrying.failing()),
        dead=ledger.waiting.dead_count(),
        rates={what: count * 60_000 / RATE_MS for what, count in sorted(counts.items())},
        alarms={name: str(alarm.get("text", "")) for name, alarm in ledger.history.alarms().items()},
        left_alone=ledger.left_alone_by(),
        home=str(holder) if holder else "",
        api_calls=budget,
        last=tuple(newest(target, Filter(), last)),
    )


def _poll(target: Target, now_ms: int, wanted: bool, budget: ApiBudget) -> StageStatus:
    """Polls keep to a grid; one that is overdue by several paces is not being made."""
    due_ms = target.ledger.waiting.next_poll_ms()
    pace_ms = int(target.scheduler.poll_seconds * 1000)
    if not wanted:
        return StageStatus("poll", "idle", 0, 0, "no triggers, nothing to read")
    if budget.paused_seconds:
        return StageStatus("poll", "late" if budget.paused_long else "ok", 0, 0, waits(budget))
    if not due_ms:
        return StageStatus("poll", "late", 0, 0, "no poll so far")
    overdue_ms, seen = max(0, now_ms - due_ms), target.ledger.service_watch.read()
    if overdue_ms > max(LATE_MS // 2, 3 * pace_ms):
        last_ms = seen.polled_ms or due_ms - pace_ms
        return StageStatus("poll", "late", 0, overdue_ms, f"the last poll was {ago(last_ms, now_ms)}")
    quiet_ms = int(target.scheduler.quiet_seconds * 1000)
    slower = f", up to {span(quiet_ms)} while nothing changes" if quiet_ms > pace_ms else ""
    if seen.by_budget_ms:
        stretched = span(pace_ms + seen.by_budget_ms)
        slower += f"; now {stretched} or more, for the month's API calls to suffice"
    return StageStatus("poll", "ok", 0, overdue_ms, f"every {span(pace_ms)}{slower}")


def _others(target: Target, now_ms: int) -> list[StageStatus]:
    return [_stage(target, row.name, row.backlog, now_ms) for row in table.STAGES if row.backlog]


def _stage(target: Target, name: str, backlog: table.Backlog, now_ms: int) -> StageStatus:
    """What is due and nobody takes lies there with the time from which it was due; a lease moves that on."""
    lines, line = target.ledger.waiting, backlog.line
    first_ms = lines.oldest_ms(line)
    if first_ms is None:
        return StageStatus(name, "idle", 0, 0, "nothing waits")
    waiting, later = lines.due(line, now_ms), lines.size(line)
    oldest_ms = max(0, now_ms - first_ms)
    words = f"{plural(waiting, backlog.thing or backlog.things, backlog.things)} due"
    words += f", {later - waiting} in hand or later" if later > waiting else ""
    if oldest_ms > LATE_MS:
        return StageStatus(name, "late", waiting, oldest_ms, f"{words}, the oldest for {span(oldest_ms)}")
    return StageStatus(name, "ok", waiting, oldest_ms, words)


def line(status: SchedulerStatus) -> str:
    """All of it in one line."""
    stuck = ", ".join(f"{stage.name}: {stage.words}" for stage in status.stages if stage.state == "late")
    states = [f"{count} {state}" for count, state in ((status.paused, "paused"), (status.muted, "muted")) if count]
    parts = [plural(status.triggers, "trigger") + (f" ({', '.join(states)})" if states else "")]
    parts.append(f"read up to {ago(status.read_to_ms, status.now_ms)}" if status.read_to_ms else "nothing read yet")
    waiting = sum(stage.waiting for stage in status.stages)
    held = sum(status.holds.values())
    parts.append(f"{status.rates.get('launched', 0):.1f} launches/min")
    counted = ((waiting, "waiting"), (status.failing, "failing"), (held, "held"), (status.dead, "dead"))
    parts += [f"{count} {word}" for count, word in counted if count]
    if alone := len(status.left_alone):
        parts.append(f"{plural(alone, 'worker does', 'workers do')} not serve it")
    return ("LATE: " + stuck + " | " if stuck else "") + " | ".join(parts)
