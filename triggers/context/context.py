"""Context: what every stage works with."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from triggers.base.settings import Settings
from triggers.clearml_api import Api
from triggers.context.hints import Hints, NoHints
from triggers.ledger import Ledger
from triggers.ledger.epoch import Epoch
from triggers.ledger.polling.seen_here import SeenHere
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.ledger.store import ScriptCall
from triggers.rules.conditions import Condition
from triggers.rules.index import Index


@dataclass(frozen=True)
class Plan:
    """The registry at one version, made ready for matching."""

    snapshot: Snapshot
    index: Index
    entries: dict[str, Entry]
    conditions: dict[str, Condition]
    #: ids of the triggers that have to see their condition become false
    transitions: frozenset[str]

    @classmethod
    def of(cls, snapshot: Snapshot, before: Plan | None = None) -> Plan:
        """Make it ready: once per version, so that an event costs nothing for the triggers it does not concern.

        `before`: that of an earlier version, from which entries that are the same keep their conditions, and all keep
            the index where no trigger was edited: a pause changes none.
        """
        entries = {id_: entry for id_, entry in snapshot.entries.items() if not entry.retired}
        triggers = tuple(entry.trigger for entry in entries.values())
        known = before.conditions if before else {}
        return cls(
            snapshot,
            before.index if before and before.index.triggers == triggers else Index(triggers),
            entries,
            {
                id_: known[id_] if before and before.entries.get(id_) is entry else Condition.of(entry.trigger)
                for id_, entry in entries.items()
            },
            frozenset(id_ for id_, entry in entries.items() if entry.trigger.policy.fire == "on_transition"),
        )


@dataclass
class ReadMark:
    """What a process knows of the mark by which it tells how far reads lag (`actions.launching.reads`).

    Attributes:
        run_id: the epoch in which `shown_ms` was seen.
        shown_ms: reads show all that was written until so long after that epoch began.
        marked_run: the epoch of the mark that this process wrote last; `marked_ms`, how long after its beginning, and
            `marked_at`, when by the process's monotonic clock.
        next_at: when it looks again at the earliest, by that clock.
    """

    run_id: str = ""
    shown_ms: int = 0
    marked_run: str = ""
    marked_ms: int = 0
    marked_at: float = 0.0
    next_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Context:
    """One scheduler as a worker process sees it. Threads share it.

    Args:
        ledger: the scheduler's ledger, its epoch adopted.
        api: the ClearML server.
        settings: of this process.
        hints: where hints go.
        service_task: id of the scheduler's own ClearML task, never an event; "" when it has none.
        shadow: everything is done but the launch.
        names: ids of queues by their names, for a while.
        needs: by source, what polls read for the triggers of the registry version `needs_version`.
        memories: by source, what polls of this process remember.
        cut_short: sources whose last poll by this process ended amid the pages of an overlap read or a sweep.
        seen: by source, the changes that they know to be seen.
        claimed_lately: triggers whose firings this process has claimed, the last ones last.
        transitions_known: registry version whose `on_transition` triggers the ledger finds by object.
        reads: how far reads of the ClearML server are known to lag.
        forgot_at: when this process looked last at what memory is used for, by its monotonic clock.
    """

    ledger: Ledger
    api: Api
    settings: Settings
    hints: Hints
    epoch: Epoch
    service_task: str = ""
    shadow: bool = False
    names: dict[tuple[str, str], tuple[float, str | None]] = field(default_factory=dict)
    needs: dict[str, Any] = field(default_factory=dict)
    needs_version: int = -1
    memories: dict[str, Any] = field(default_factory=dict)
    cut_short: set[str] = field(default_factory=set)
    seen: dict[str, SeenHere] = field(default_factory=dict)
    claimed_lately: dict[str, None] = field(default_factory=dict)
    transitions_known: int = -1
    reads: ReadMark = field(default_factory=ReadMark)
    forgot_at: float = field(default_factory=time.monotonic)
    _plan: Plan | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, version: int | None = None) -> Plan:
        """The triggers as they are now, and their index; `version` as for `Registry.snapshot`."""
        snapshot = self.ledger.registry.snapshot(version)
        with self._lock:
            if self._plan is None or self._plan.snapshot.version != snapshot.version:
                self._plan = Plan.of(snapshot, self._plan)
            return self._plan

    @property
    def plan_at_hand(self) -> Plan | None:
        """The last plan, of whichever version; None before the first."""
        return self._plan

    def hint(self, stage: str) -> None:
        """Say that work waits for a stage, where no hint is under way that says so already."""
        if isinstance(self.hints, NoHints):
            return
        message = self.hints.message(stage, self.ledger.scheduler)
        if self.ledger.hinted.send(stage, message=message):
            self.hints.send(stage, self.ledger.scheduler)

    def hinting(self, stages: Iterable[str]) -> list[tuple[str, ScriptCall]]:
        """The same in a trip with others: what to run for each of them, and whose answer is for `hinted.to_send`."""
        if isinstance(self.hints, NoHints):
            return []
        id_ = self.ledger.scheduler
        return [(one, self.ledger.hinted.sending(one, message=self.hints.message(one, id_))) for one in stages]

    def begin_epoch(self) -> None:
        """Learn the present run of Redis after `EpochChanged`."""
        self.epoch = self.ledger.adopt_epoch(at_least=self.epoch.number)
        self.transitions_known = -1

    def know_epoch(self) -> None:
        """Learn the server's time at the epoch's first poll, once there was one."""
        if self.epoch.server_ms is None:
            self.begin_epoch()
