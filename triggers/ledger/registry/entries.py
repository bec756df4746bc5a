"""One registered trigger as Redis keeps it, and one that cannot be read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any, Final

from triggers.base.errors import Unreadable
from triggers.base.formats import KNOWN, check_version, lowest, reading
from triggers.ledger.signing import Unsigned
from triggers.model import Trigger
from triggers.model.kinds import is_trigger
from triggers.model.trigger import ScheduleTrigger

#: Jitters of before an edit count for so long: longer than what is made up for by default, and any jitter, ms.
JITTERS_KEPT_MS: Final = 2 * 86_400_000
#: Jitters of before edits that are kept of one schedule.
MOST_JITTERS: Final = 20

#: The version of an entry that has `edited_ms` and none of what came later.
_EDITED: Final = 2
#: Fields that are nearly always empty, and that earlier releases do not know.
_RARE: Final = ("ahead_ms", "edited_ms", "jitters")

#: Fields that say the same in thousands of entries, which share the text.
_ALIKE: Final = ("origin", "source", "declared_in")


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered trigger.

    `since_ms`: server time from which changes count. `version`: registry version from which they do; an
    edit keeps both, a trigger that comes back gets new ones.
    `origin`: the writer that declared it (`script`, `configuration`, `command`).
    `declared`: digest of what the script declared last, "" when it does not declare this trigger.
    `source`: the file that says what the trigger is now; `declared_in`: the one that declared last. "" if unknown.
    `ahead_ms`: from when on what was stamped before the server's clock was set back counts, 0 if it was not.
    `edited_ms`: when the times of a schedule were changed last, or skipped, 0 if never: none before counts.
    `jitters`: of a schedule, as `Timetable` has them.
    `paused` survives registering again. `retired`: no longer declared; kept so that its memory is.
    """

    trigger: Trigger
    since_ms: int
    version: int
    origin: str
    paused: bool = False
    retired: bool = False
    declared: str = ""
    source: str = ""
    declared_in: str = ""
    ahead_ms: int = 0
    edited_ms: int = 0
    jitters: tuple[tuple[int, int], ...] = ()

    def counts(self, changed_ms: int, latest_ms: int | None = None, read_plan: int = 0) -> bool:
        """Whether a change of that server time is late enough to fire.

        Args:
            changed_ms: its time.
            latest_ms: as `Batch` has it. What has a later one was stamped before the server's clock was set back, so
                that `since_ms` as it was then counts, unless all of before was read.
            read_plan: as `Batch` has it.
        """
        stamped_before = latest_ms is not None and changed_ms > latest_ms and not self.is_read(read_plan)
        return changed_ms >= max(self.since_ms, self.ahead_ms if stamped_before else 0)

    def is_read(self, plan: int) -> bool:
        """Whether all that was stamped `since_ms` or later, and counts, was read by polls of that registry version.

        What they have not read, and later ones do, is new, whatever its time.
        """
        return self.version <= plan

    def set_back(self, since_ms: int, version: int, plan: int) -> Entry:
        """The entry after the server's clock was set back to before the time from which changes count.

        Args:
            since_ms: from when on they count now.
            version: registry version of this edit.
            plan: registry version of the polls before. If this entry is not read, it may have been set back before, and
                what lies between the two times from which it counted may be of before the registration.
        """
        ahead_ms = self.since_ms if self.is_read(plan) else max(self.ahead_ms, self.since_ms)
        return replace(self, since_ms=since_ms, version=version, ahead_ms=ahead_ms)

    @property
    def begun_ms(self) -> int:
        """By when a schedule had begun, and was edited last."""
        return max([self.since_ms, self.edited_ms, *(until_ms for until_ms, _ in self.jitters)])

    def begun_by(self, now_ms: int, version: int) -> Entry:
        """The entry of a schedule where that is a time to come, since the clock was set back: it begins now."""
        jitters = tuple((min(until_ms, now_ms), ms) for until_ms, ms in self.jitters)
        begun = replace(self, edited_ms=min(self.edited_ms, now_ms), jitters=jitters)
        return replace(begun, since_ms=now_ms, version=version) if self.since_ms > now_ms else begun

    def to_json(self) -> str:
        """The text kept in Redis."""
        fields = asdict(replace(self, trigger=None))  # type: ignore[arg-type]
        fields["trigger"] = self.trigger.to_json()
        for name in _RARE:
            if not fields[name]:
                del fields[name]
        return json.dumps(fields | {"v": self._version()}, sort_keys=True)

    def _version(self) -> int:
        if self.jitters:
            return KNOWN["entry"]
        return _EDITED if self.edited_ms else lowest("entry")

    @classmethod
    def from_json(cls, id_: str, text: str) -> Entry:
        """Read the text kept in Redis under a trigger's id.

        Raises:
            Newer, Unreadable: a later release wrote it; nobody did.
        """
        with reading("entry", f"of trigger {id_!r}"):
            fields: dict[str, Any] = json.loads(text)
            check_version("entry", fields.pop("v", 1), f"of trigger {id_!r}")
            fields["trigger"] = Trigger.from_json(fields["trigger"])
            for name in _ALIKE:
                if type(fields.get(name)) is str:
                    fields[name] = sys.intern(fields[name])
            fields["jitters"] = tuple((until_ms, ms) for until_ms, ms in fields.get("jitters", ()))
            entry = cls(**fields)
            entry._check(id_)
            return entry

    def _check(self, id_: str) -> None:
        numbers, texts = (
            (self.since_ms, self.version, self.ahead_ms, self.edited_ms, *chain.from_iterable(self.jitters)),
            (self.origin, self.declared, self.source, self.declared_in),
        )
        flags = (self.paused, self.retired)
        if not is_trigger(id_):
            raise ValueError(f"an id of another form than is made: {id_!r:.100}")
        if self.trigger.id != id_:
            raise ValueError(f"it holds the trigger {self.trigger.id!r}")
        if not all(type(one) is int for one in numbers) or not all(type(one) is bool for one in flags):
            raise TypeError("since_ms, version, ahead_ms, edited_ms, jitters, paused or retired is of another type")
        if not all(isinstance(one, str) for one in texts):
            raise TypeError("origin, declared, source or declared_in is of another type")


def with_new_times(
    known: Mapping[str, Entry], changes: Mapping[str, Entry | None], now_ms: Callable[[], int]
) -> Mapping[str, Entry | None]:
    """Note in an edit of the registry when it changes the times of schedules, and their jitter.

    What the new times were before that was not missed. A new jitter counts for later times.
    """
    new = {
        id_: (old, entry)
        for id_, entry in changes.items()
        if entry and (old := known.get(id_)) and entry.since_ms == old.since_ms and _when(entry) != _when(old)
    }
    if not new:
        return changes
    edited_ms = now_ms()
    return {**changes, **{id_: _edited(old, entry, edited_ms) for id_, (old, entry) in new.items()}}


def _when(entry: Entry) -> tuple[object, ...]:
    return (*_times(entry), _jitter_ms(entry))


def _times(entry: Entry) -> tuple[object, ...]:
    return entry.trigger.times if isinstance(entry.trigger, ScheduleTrigger) else ()


def _jitter_ms(entry: Entry) -> int:
    return entry.trigger.jitter_ms if isinstance(entry.trigger, ScheduleTrigger) else 0


def _edited(old: Entry, entry: Entry, edited_ms: int) -> Entry:
    if _times(entry) != _times(old):
        entry = replace(entry, edited_ms=edited_ms)
    if (jitter_ms := _jitter_ms(old)) == _jitter_ms(entry):
        return entry
    oldest_ms = edited_ms - JITTERS_KEPT_MS
    kept = [(until_ms, ms) for until_ms, ms in old.jitters if oldest_ms < until_ms < edited_ms]
    return replace(entry, jitters=(*kept, (edited_ms, jitter_ms))[-MOST_JITTERS:])


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that this release cannot read: why, and what can be seen of it all the same.

    `unsigned`: what it says, where it was refused because of its signature alone.
    """

    why: str
    paused: bool
    since_ms: int | None
    text: str = ""
    unsigned: Entry | None = None

    @classmethod
    def of(cls, text: str, fault: Unreadable) -> Unread:
        """Look at an entry that could not be decoded."""
        try:
            seen = json.loads(text)
        except (ValueError, RecursionError):
            seen = None
        seen = seen if isinstance(seen, dict) else {}
        since_ms = seen.get("since_ms")
        return cls(str(fault), seen.get("paused") is True, since_ms if type(since_ms) is int else None, text)

    @classmethod
    def refused(cls, id_: str, text: str, fault: Unsigned) -> Unread:
        """Look at an entry whose signature does not hold."""
        try:
            return replace(cls.of(text, fault), unsigned=Entry.from_json(id_, text))
        except Unreadable as worse:
            return cls.of(text, worse)
