"""What happened, for people: the bounded history, alarms, and counts of what waits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store
from triggers.model.parts import is_trial

RECENT = Script("recent")

#: Words of an earlier release for what happened, as Redis may still have them.
_EARLIER: Final = {"retry": "failed", "revived": "retried"}

#: Why a firing ends as launched that was launched before, as Redis has forgotten: nothing was launched now.
FOUND: Final = "found by its key"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history. `what`: the transition, as `triggers.ledger.transitions` spells it.

    A trial has no retries and no dead letter: one that is skipped has failed.
    """

    id: str
    at_ms: int
    what: str
    trigger: str
    object: str
    firing: str
    reason: str
    task: str

    @property
    def is_launch(self) -> bool:
        """Whether something was launched then, and not found launched."""
        return self.what == "launched" and self.reason != FOUND

    @classmethod
    def of(cls, id_: str, fields: Mapping[str, str]) -> HistoryEntry:
        """Decode an entry of the stream; a later release may write more fields."""
        names = ("what", "trigger", "object", "firing", "reason", "task")
        texts = {name: fields.get(name, "") for name in names}
        return cls(id_, int(id_.partition("-")[0]), **{**texts, "what": _happened(fields)})


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened to a trigger's firings, and the last of them."""

    trigger: str
    what: str
    count: int
    last_ms: int
    object: str
    task: str


class History:
    """Reads the history of one scheduler and keeps its alarms."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def read(self, after: str = "-", count: int = 1000) -> list[HistoryEntry]:
        """Entries later than the entry id `after`, oldest first."""
        start = after if after == "-" else f"({after}"
        found: Any = self.store.client.xrange(self.keys.history, start, "+", count)
        return [HistoryEntry.of(id_, fields) for id_, fields in found]

    def newest_id(self) -> str:
        """The id of the newest entry, "" without any: `read` goes on after it."""
        found: Any = self.store.client.xrevrange(self.keys.history, "+", "-", 1)
        return str(found[0][0]) if found else ""

    def latest(self, *what: str, count: int, scan: int = 5000) -> list[HistoryEntry]:
        """The newest entries of these sorts, newest first; looks at the last `scan` entries."""
        found: Any = self.store.client.xrevrange(self.keys.history, "+", "-", scan)
        chosen = [(id_, fields) for id_, fields in found if _happened(fields) in what][:count]
        return [HistoryEntry.of(id_, fields) for id_, fields in chosen]

    def tallies(self) -> list[Tally]:
        """How often each thing has happened to the firings of each trigger since there is this Redis."""
        found: Any = self.store.client.hgetall(self.keys.tallies)
        return _summed(_tally(field, text) for field, text in found.items())

    def tallies_of(self, triggers: Sequence[str], words: Iterable[str]) -> list[Tally]:
        """The same of some triggers, and of what these words name."""
        words = [*words, *_EARLIER]
        fields = [f"{word} {trigger}" for trigger in triggers for word in words]
        found: list[Any] = self.store.client.hmget(self.keys.tallies, fields) if fields else []
        return _summed(_tally(field, text) for field, text in zip(fields, found, strict=True) if text)

    def last_of(self, what: str, trigger: str) -> tuple[int, str]:
        """How often that has happened to firings of a trigger, and the ClearML task of the last; (0, "") for never."""
        found: Any = self.store.client.hget(self.keys.tallies, f"{what} {trigger}")
        tally = _tally(f"{what} {trigger}", str(found)) if found else None
        return (tally.count, tally.task) if tally else (0, "")

    def recent(self, since_ms: int) -> list[Tally]:
        """The same for the entries since a time, as far as they are kept, without what was found launched before."""
        rows = self.store.run(RECENT, [self.keys.history], since_ms, FOUND)
        return _summed(
            Tally(trigger, _word(what), int(count), int(last.partition("-")[0]), object_id, task)
            for trigger, what, count, last, object_id, task in rows
        )

    def raise_alarm(self, name: str, text: str, at_ms: int) -> bool:
        """Set an alarm; one that is already set keeps its time. Whether it is new."""
        return bool(self.store.client.hsetnx(self.keys.alarms, name, json.dumps({"text": text, "since_ms": at_ms})))

    def clear_alarm(self, name: str) -> None:
        """Clear an alarm."""
        self.store.client.hdel(self.keys.alarms, name)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The alarms that are set: name → text and since_ms."""
        found: Any = self.store.client.hgetall(self.keys.alarms)
        return alarms_of(found)


def alarms_of(found: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Decode the alarms that are set: name → text and since_ms."""
    return {name: _alarm(text) for name, text in found.items()}


def _happened(fields: Mapping[str, str]) -> str:
    """What happened by an entry of the stream."""
    what = _word(fields.get("what", ""))
    return "failed" if what == "skipped" and is_trial(fields.get("firing", "")) else what


def _word(what: str) -> str:
    return _EARLIER.get(what, what)


def _tally(field: str, text: str) -> Tally | None:
    """Decode one tally; None where it is not one."""
    what, _, trigger = field.partition(" ")
    parts = text.split(" ", 3)
    if len(parts) != 4 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return None
    return Tally(trigger, _word(what), int(parts[0]), int(parts[1]), parts[2], parts[3])


def _summed(tallies: Iterable[Tally | None]) -> list[Tally]:
    """One tally for each trigger and word, where an earlier release counted under another word."""
    sums: dict[tuple[str, str], Tally] = {}
    for one in filter(None, tallies):
        known = sums.get((one.trigger, one.what))
        if known:
            one = replace(max(one, known, key=lambda each: each.last_ms), count=one.count + known.count)
        sums[one.trigger, one.what] = one
    return list(sums.values())


def _alarm(text: str) -> dict[str, Any]:
    try:
        alarm = json.loads(text)
        return {"text": str(alarm["text"]), "since_ms": int(alarm["since_ms"])}
    except (ValueError, TypeError, KeyError, RecursionError):
        return {"text": text, "since_ms": 0}
