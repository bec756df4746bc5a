"""Which notices are due. Pure: the situation and the notices sent before are values, the clock is an argument.

1. dead letters: new ones of a trigger, all in one notice; the next of that trigger after a pause
2. a lasting problem (a stage has stopped, a burst is held, any other alarm): when it starts, then every hour; a budget
   that will not do: when it starts
3. what lasted is over: one notice that says so
4. what comes and goes (a burst that is held in every minute, or what was over a short while ago): over only once it has
   been gone for some minutes
5. nothing of a muted trigger; when the mute ends, its dead letters, what still lasts, and the end of what was reported
6. more than the limit per hour: the rest waits, and the next notice gives its number
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from triggers.base.formats import known_fields
from triggers.base.plural import plural
from triggers.model.kinds import noun_of_id

#: Pause between two notices of one trigger's dead letters, and of one thing that lasts, ms.
DEAD_EVERY_MS: Final = 600_000
LASTING_EVERY_MS: Final = 3_600_000
_HOUR_MS: Final = 3_600_000

#: So long what comes and goes has to be gone before it is over, ms.
QUIET_MS: Final = 600_000
#: What begins again so soon after it was over comes and goes, ms.
SHAKY_MS: Final = 3_600_000

#: Kinds that come and go by nature: the next minute lets some of a held burst go, and holds the rest.
#: A projection does so around its limit, and after each pause of the calls the server is asked again.
_SHAKY_KINDS: Final = frozenset({"held burst", "API budget", "API pause"})
#: Kinds of which one notice is enough: nobody has to do anything at once.
_ONCE_KINDS: Final = frozenset({"API budget"})


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person has to know. `kind`: dead, stale <stage>, held burst, API budget, API pause, alarm, over.

    `owner` of the trigger.
    `object`: id of the object that it is about, "" for none; `link`: the page of that object, else of the service task.
    """

    kind: str
    text: str
    trigger: str = ""
    owner: str = ""
    count: int = 1
    link: str = ""
    object: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What to report: new dead letters by trigger, as (count, example), and lasting problems by name.

    The name of a problem of one trigger ends with `:` and its id. `muted`: ids of triggers that are muted now.
    """

    now_ms: int
    dead: Mapping[str, Notice] = field(default_factory=dict)
    lasting: Mapping[str, Notice] = field(default_factory=dict)
    muted: Collection[str] = ()

    def is_muted(self, name: str) -> bool:
        """Whether a lasting problem is of a muted trigger."""
        return name.partition(":")[2] in self.muted


@dataclass(frozen=True, slots=True)
class Told:
    """Earlier notices: when, by name; dead letters that wait for a notice; how many notices in this hour.

    `known`: the last notice, by name, as JSON has it. Of lasting problems: `gone_ms` is since when one is gone,
    `over_ms` when it was over last, `shaky` names what comes and goes.
    """

    at_ms: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    hour: int = 0
    count: int = 0
    left_out: int = 0
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    gone_ms: Mapping[str, int] = field(default_factory=dict)
    over_ms: Mapping[str, int] = field(default_factory=dict)
    shaky: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The text kept in Redis."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Told:
        """Read the text kept in Redis; an empty or damaged one is that of a scheduler that never sent a notice."""
        try:
            fields: dict[str, Any] = known_fields(cls, json.loads(text)) if text else {}
            read = cls(**fields | {"shaky": tuple(fields.get("shaky", ()))})
        except (ValueError, TypeError, AttributeError, RecursionError):
            return cls()
        return read if read.is_sound else cls()

    @property
    def is_sound(self) -> bool:
        """Whether all of it is of the types that are written."""
        numbers = (self.at_ms, self.waiting, self.gone_ms, self.over_ms)
        return (
            all(isinstance(one, dict) and all(type(ms) is int for ms in one.values()) for one in numbers)
            and isinstance(self.known, dict)
            and all(isinstance(one, dict) for one in self.known.values())
            and all(type(one) is int for one in (self.hour, self.count, self.left_out))
        )


def decide(told: Told, situation: Situation, per_hour: int) -> tuple[list[Notice], Told]:
    """The notices that are due, and what counts as reported once they have been sent."""
    turn = _Turn(told, situation)
    due = [*turn.dead(), *turn.lasting(), *turn.over()]
    return turn.limited(due, per_hour)


class _Turn:
    """One decision: the notices sent, as they change."""

    def __init__(self, told: Told, situation: Situation) -> None:
        self.told, self.situation, self.now_ms = told, situation, situation.now_ms
        self.at_ms, self.waiting, self.known = dict(told.at_ms), dict(told.waiting), dict(told.known)
        self.gone_ms, self.shaky = dict(told.gone_ms), set(told.shaky)
        self.over_ms = {name: ms for name, ms in told.over_ms.items() if self.now_ms - ms < SHAKY_MS}

    def dead(self) -> Iterator[Notice]:
        for name, notice in self.situation.dead.items():
            self.waiting[name] = self.waiting.get(name, 0) + notice.count
            self.known[f"dead:{name}"] = asdict(notice)
        for name in list(self.waiting):
            if name not in self.situation.muted and self.now_ms - self.at_ms.get(f"dead:{name}", 0) >= DEAD_EVERY_MS:
                last = self.known.pop(f"dead:{name}", {})
                yield _dead(name, self.waiting.pop(name), self.situation.dead.get(name), _notice(last))
                self.at_ms[f"dead:{name}"] = self.now_ms

    def lasting(self) -> Iterator[Notice]:
        for name, notice in self.situation.lasting.items():
            self.gone_ms.pop(name, None)
            key = f"lasts:{name}"
            if key not in self.at_ms and (notice.kind in _SHAKY_KINDS or name in self.over_ms):
                self.shaky.add(name)
            if self.situation.is_muted(name):
                continue
            if key in self.at_ms and notice.kind in _ONCE_KINDS:
                continue
            if self.now_ms - self.at_ms.get(key, 0) >= LASTING_EVERY_MS:
                self.at_ms[key], self.known[key] = self.now_ms, asdict(notice)
                yield notice

    def over(self) -> Iterator[Notice]:
        for key in [key for key in self.at_ms if key.startswith("lasts:")]:
            name = key.partition(":")[2]
            if name in self.situation.lasting:
                continue
            gone_ms = self.gone_ms.setdefault(name, self.now_ms)
            if self.situation.is_muted(name):
                continue
            if self.now_ms - gone_ms >= (QUIET_MS if name in self.shaky else 0):
                yield _over(name, _notice(self.known.pop(key, {})))
                del self.at_ms[key], self.gone_ms[name]
                self.over_ms[name] = self.now_ms
                self.shaky.discard(name)

    def limited(self, due: list[Notice], per_hour: int) -> tuple[list[Notice], Told]:
        """As many as this hour allows; the number of those left out goes with the next that is sent."""
        hour, before = self.now_ms // _HOUR_MS, self.told
        count = before.count if before.hour == hour else 0
        sent = due[: max(0, per_hour - count)]
        left_out = before.left_out + len(due) - len(sent)
        if sent and left_out and len(due) == len(sent):
            text = f"{plural(left_out, 'notice was', 'notices were')} left out in the last hour"
            sent = [*sent, Notice("left out", text, count=left_out)]
            left_out = 0
        parts = (self.known, self.gone_ms, self.over_ms, tuple(sorted(self.shaky)))
        return sent, Told(self.at_ms, self.waiting, hour, count + len(sent), left_out, *parts)


def _notice(fields: Mapping[str, Any]) -> Notice | None:
    try:
        return Notice(**known_fields(Notice, fields)) if fields else None
    except TypeError:  # another release has other fields
        return None


def _dead(name: str, count: int, example: Notice | None, last: Notice | None) -> Notice:
    trigger = name.partition(":")[2]
    last = example or last
    if last is not None and count == last.count:
        return last
    of = f" of {noun_of_id(name)} {trigger!r} "
    if last is None:
        text = plural(count, f"more firing{of}was given up", f"more firings{of}were given up")
        return Notice("dead", text, trigger, count=count)
    more = "more " if example is None else ""
    text = plural(count, f"{more}firing{of}was given up", f"{more}firings{of}were given up")
    return replace(last, text=f"{text}; the last: {last.text}", count=count)


def _over(name: str, told: Notice | None) -> Notice:
    if told is None or not told.trigger:
        return Notice("over", f"it is over: {name}", link=told.link if told else "")
    return replace(told, kind="over", text=f"it is over: {told.text}")
