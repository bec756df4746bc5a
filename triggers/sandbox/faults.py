"""Faults on demand: what is done to a call before it takes effect, and after.

error      answered with an HTTP status (500, 503); `when="after"`: though it took effect
drop       the connection is closed without an answer, before or after the call took effect
delay      the call, or with `when="after"` its answer, waits for some seconds
malformed  it took effect, and half of the answer comes back
html       a proxy answers with a page: HTTP 502 and no JSON
expired    its token counts as expired (401/30)
busy       refused because there were too many calls: HTTP 429, with `Retry-After` where `retry_after` says one
quota      refused because the month's calls are used up: 400/68, as the hosted server refuses what exceeds a quota
hold       it waits until it is released, before or after it took effect
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Literal, get_args

FaultKind = Literal["error", "drop", "delay", "malformed", "html", "expired", "busy", "quota", "hold"]
_numbers = count(1)


@dataclass
class Fault:
    """One rule. Whether it hits a call depends on the order of matching calls, `fraction` and `seed` alone."""

    kind: FaultKind
    #: which calls, with * as in file names
    endpoint: str = "*"
    caller: str = "*"
    fraction: float = 1.0
    seed: int = 0
    #: so many calls at most; None: no limit
    times: int | None = None
    when: Literal["before", "after"] = "before"
    seconds: float = 0.0
    status: int = 500
    #: of kinds busy and quota: seconds, or any text; None: the answer does not say
    retry_after: float | str | None = None
    #: only for callers who have made this call since the rule was set
    after_call: str = ""
    id: int = field(default_factory=lambda: next(_numbers))
    hits: int = 0
    _random: random.Random = field(default_factory=random.Random)
    _ready: set[str] = field(default_factory=set)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"no such kind of fault: {self.kind!r}")

    def strikes(self, endpoint: str, caller: str) -> bool:
        """True if this call is hit."""
        if not (fnmatchcase(endpoint, self.endpoint) and fnmatchcase(caller, self.caller)):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if self.after_call and caller not in self._ready:
            return False
        if self.fraction < 1.0 and self._random.random() >= self.fraction:
            return False
        self.hits += 1
        return True

    def note(self, endpoint: str, caller: str) -> None:
        """A call has been made."""
        if self.after_call and fnmatchcase(endpoint, self.after_call):
            self._ready.add(caller)

    @property
    def held(self) -> int:
        """How many calls wait."""
        return len(self._waiting)

    async def wait(self) -> None:
        """Wait until released."""
        ticket = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        try:
            await ticket
        finally:
            if ticket in self._waiting:
                self._waiting.remove(ticket)

    def release(self, number: int | None = None) -> int:
        """Let calls go on, the first ones first; None: all, and hold no more. Returns how many went on."""
        if number is None:
            self.times, number = self.hits, len(self._waiting)
        let_go = self._waiting[:number]
        del self._waiting[:number]
        for ticket in let_go:
            if not ticket.done():
                ticket.set_result(None)
        return len(let_go)

    def shown(self) -> dict[str, Any]:
        """The rule as JSON."""
        named = (
            "id",
            "kind",
            "endpoint",
            "caller",
            "fraction",
            "seed",
            "times",
            "when",
            "seconds",
            "status",
            "retry_after",
        )
        return {**{name: getattr(self, name) for name in (*named, "after_call", "hits")}, "held": self.held}


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: dict[int, Fault] = {}

    def add(self, fault: Fault) -> Fault:
        """Set a rule."""
        self.rules[fault.id] = fault
        return fault

    def remove(self, number: int | None = None) -> None:
        """Drop one rule or all; held calls continue."""
        for key in [number] if number is not None else list(self.rules):
            fault = self.rules.pop(key, None)
            if fault is not None:
                fault.release()

    def striking(self, endpoint: str, caller: str) -> list[Fault]:
        """The rules that hit this call."""
        return [fault for fault in self.rules.values() if fault.strikes(endpoint, caller)]

    def note(self, endpoint: str, caller: str) -> None:
        """A call has been made."""
        for fault in self.rules.values():
            fault.note(endpoint, caller)
