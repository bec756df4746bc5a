"""What an explanation is made from, and what it consists of. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from triggers.ledger.firings.firing import Firing
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model.events import Event
from triggers.rules.policies import Mark
from triggers.sources.windows import Window

AnswerWord = Literal[
    "fired",
    "waiting",
    "failing",
    "held",
    "skipped",
    "dropped",
    "dead",
    "will fire",
    "does not fire",
    "no such object",
    "no such time",
]


@dataclass(frozen=True, slots=True)
class Read:
    """How far the object's source was read.

    `window` is what the next poll reads, None if it reads nothing; `sweep_ms` from where the next sweep does.
    `due_ms` is when the next poll is due, in the time of `now_ms`; 0 for at once.
    """

    cursor: Cursor
    window: Window | None
    sweep_ms: int
    due_ms: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Slot:
    """The slot that a launch needs: the firing and the ClearML task that have it, and that task's status.

    `failures`, `next_ms`: of that firing, while it has no ClearML task yet.
    """

    name: str
    firing: str = ""
    task: str = ""
    status: str = ""
    failures: int = 0
    next_ms: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """Where a firing that has not ended waits: due at `due_ms` in a lane, or in a hold."""

    due_ms: int = 0
    lane: str = ""
    hold: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision about one trigger and one object depends on.

    `now` is the object as the server has it, `seen` as the last poll that stored it did; either may be
    missing. `known_ms` is the change that polls remember of it, stored or not. `waits_for_match`: it lies in a batch.
    `index_leads`: the index of all triggers leads from the object to this one. `launched_by` is the trigger that
    launched it, "" for none. `room` is how many more launches may begin in this minute, None for any number.
    `per_minute` is the trigger's pace, 0 for none. `open` is where its last firing waits. `unmatched_ms` is since when
    what waits for match lies there. `max_attempts` are made before a firing is given up.
    `parts` are the further actions of the last firing. `own_edit`: this trigger has made the object's last change.
    `ran_unknown`: of a time of a schedule, whether it ran is no longer known.
    """

    entry: Entry
    object_id: str
    now: Event | None
    seen: Event | None
    known_ms: int | None
    waits_for_match: bool
    index_leads: bool
    mark: Mark
    firings: tuple[Firing, ...]
    launched_by: str
    is_service_task: bool
    read: Read
    room: int | None
    slot: Slot | None
    per_minute: int = 0
    open: Open | None = None
    unmatched_ms: int = 0
    max_attempts: int = 10
    parts: tuple[Firing, ...] = ()
    own_edit: bool = False
    ran_unknown: bool = False


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A clause against one state of the object."""

    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """One clause of the condition, against the object as it is now and as it was last stored."""

    name: str
    wanted: str
    now: ClauseResult | None
    seen: ClauseResult | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing beside the condition that a firing depends on; `passes` None: it plays no part yet."""

    name: str
    passes: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a trigger did, did not or would fire. `way_out`: what a person can do about it, "" if nothing."""

    facts: Facts
    answer: AnswerWord
    because: str
    way_out: str
    clauses: tuple[ClauseRow, ...]
    checks: tuple[Check, ...]

    @property
    def fires(self) -> bool:
        """Whether it has fired, or is about to without anybody's help."""
        return self.answer in ("fired", "waiting", "will fire")
