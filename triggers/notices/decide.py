"""Which notices are due. Pure: the situation and what was told before are values, the clock is an argument.

1. dead letters: new ones of a trigger, all in one notice; the next of that trigger after a pause
2. what lasts (polls have stopped, a burst is held, any other alarm): when it begins, then every hour
3. what lasted is over: one notice that says so
4. more than so many an hour: the rest waits, and its number is told with the next
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: Pause between two notices of one trigger's dead letters, and of one thing that lasts, ms.
DEAD_EVERY_MS: Final = 600_000
LASTING_EVERY_MS: Final = 3_600_000
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person has to know. `kind`: dead, stale poll, held burst, alarm, over; `owner` of the trigger."""

    kind: str
    text: str
    trigger: str = ""
    owner: str = ""
    count: int = 1
    link: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is to tell: new dead letters by trigger, as (count, example), and what lasts by name."""

    now_ms: int
    dead: Mapping[str, Notice] = field(default_factory=dict)
    lasting: Mapping[str, Notice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told before: when, by name; dead letters that wait to be told; how many in this hour."""

    at_ms: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    hour: int = 0
    count: int = 0
    left_out: int = 0

    def to_text(self) -> str:
        """The text kept in Redis."""
        fields = {"at_ms": dict(self.at_ms), "waiting": dict(self.waiting), "hour": self.hour}
        return json.dumps({**fields, "count": self.count, "left_out": self.left_out})

    @classmethod
    def from_text(cls, text: str) -> Told:
        """Read the text kept in Redis; an empty one is that of a scheduler that never told anything."""
        fields: dict[str, Any] = json.loads(text) if text else {}
        return cls(**fields)


def decide(told: Told, situation: Situation, per_hour: int) -> tuple[list[Notice], Told]:
    """The notices that are due, and what is told when they have been sent."""
    now_ms = situation.now_ms
    due, at_ms, waiting = [], dict(told.at_ms), dict(told.waiting)
    for name, notice in situation.dead.items():
        waiting[name] = waiting.get(name, 0) + notice.count
    for name in list(waiting):
        if now_ms - at_ms.get(f"dead:{name}", 0) >= DEAD_EVERY_MS:
            due.append(_dead(name, waiting.pop(name), situation.dead.get(name)))
            at_ms[f"dead:{name}"] = now_ms
    for name, notice in situation.lasting.items():
        if now_ms - at_ms.get(f"lasts:{name}", 0) >= LASTING_EVERY_MS:
            due.append(notice)
            at_ms[f"lasts:{name}"] = now_ms
    for name in [name for name in at_ms if name.startswith("lasts:")]:
        if name.partition(":")[2] not in situation.lasting:
            due.append(Notice("over", f"it is over: {name.partition(':')[2]}"))
            del at_ms[name]
    return _limited(due, told, at_ms, waiting, now_ms // _HOUR_MS, per_hour)


def _dead(name: str, count: int, example: Notice | None) -> Notice:
    trigger = name.partition(":")[2]
    if example is None:
        return Notice("dead", f"{count} more firings of trigger {trigger!r} were given up", trigger, count=count)
    if count == example.count:
        return example
    text = f"{count} firings of trigger {trigger!r} were given up; the last: {example.text}"
    return Notice("dead", text, trigger, example.owner, count, example.link)


def _limited(
    due: list[Notice], told: Told, at_ms: dict[str, int], waiting: dict[str, int], hour: int, per_hour: int
) -> tuple[list[Notice], Told]:
    count, left_out = (told.count, told.left_out) if told.hour == hour else (0, told.left_out)
    room = max(0, per_hour - count)
    sent = due[:room]
    left_out += len(due) - len(sent)
    if sent and left_out and len(due) == len(sent):
        sent = [*sent, Notice("left out", f"{left_out} notices were left out in the last hour", count=left_out)]
        left_out = 0
    return sent, Told(at_ms, waiting, hour, count + len(sent), left_out)
