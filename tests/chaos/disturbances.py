"""Disturbances of every kind, done and undone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.chaos.fleet import Fleet
from tests.chaos.local import Local
from tests.chaos.plan import Disturbance
from tests.chaos.ways import Way
from triggers.sandbox.client import Control

Undo = Callable[[], None]

#: what workers call the ClearML server by: nobody else's calls are disturbed
CALLER = "clearml-triggers"
#: the part of the calls that is hit
FRACTION = 0.5
FAULTS: dict[str, dict[str, Any]] = {
    "api 500": {"kind": "error"},
    "api 500 after": {"kind": "error", "when": "after"},
    "api drop": {"kind": "drop"},
    "api drop after": {"kind": "drop", "when": "after"},
    "api page": {"kind": "html"},
    "api half": {"kind": "malformed"},
    # longer than a worker waits for an answer
    "api slow": {"kind": "delay", "seconds": 3.5},
    "api slow after": {"kind": "delay", "when": "after", "seconds": 3.5},
    # within and beyond what a worker waits for an answer where that is not shortened
    "api takes 1 s": {"kind": "delay", "seconds": 1},
    "api takes 6 s": {"kind": "delay", "seconds": 6},
    "api takes 30 s": {"kind": "delay", "seconds": 30},
}


class Disturber:
    """Carries out disturbances, and counts what was hit."""

    def __init__(self, system: Fleet | Local, control: Control, seed: int) -> None:
        self.system, self.control, self.seed = system, control, seed
        self.server_offset = float(control.clock()["offset_seconds"])
        self.done: Counter[str] = Counter()
        #: when Redis was replaced by a copy that lags, and when something was confirmed to a person last
        self.promoted_at: list[float] = []
        #: copies of Redis that may still be put in its place, and what is called when one was
        self.copies = 0
        self.forgot: Callable[[], None] = lambda: None
        self.confirmed_at: Callable[[], float] = lambda: 0.0
        self.calls_hit: Counter[str] = Counter()

    def do(self, what: Disturbance) -> Undo | None:
        """Do it; what undoes it, if there is something to undo."""
        self.done[what.name] += 1
        if what.kind in FAULTS:
            return self._break_calls(what)
        verb: Callable[[Disturbance], Undo | None] = getattr(self, "_" + what.kind.replace(" ", "_"))
        return verb(what)

    def _step(self, what: Disturbance) -> Undo | None:
        """Set a clock to so far from where it was before all steps."""
        self._set_clock(what.target, what.by)
        return (lambda: self._set_clock(what.target, 0)) if what.seconds else None

    def _set_clock(self, whose: str, by: int) -> None:
        if whose == "clearml":
            self.control.clock(offset_seconds=self.server_offset + by)
        elif whose == "date":
            self.control.clock(date_offset_seconds=by)
        else:
            self.system.clocks[whose].set(by)

    def _kill(self, what: Disturbance) -> None:
        self.system.kill(what.target)

    def _kill_all(self, _: Disturbance) -> None:
        self.system.kill_all()

    def _freeze(self, what: Disturbance) -> Undo:
        pid = self.system.freeze(what.target)
        return lambda: self.system.go_on(pid)

    def _kill_redis(self, _: Disturbance) -> Undo:
        self.system.kill_redis()
        return self.system.start_redis

    def _promote_redis(self, _: Disturbance) -> Undo:
        """After a while Redis is what a copy of it was before; what was confirmed to a person is not forgotten."""
        assert isinstance(self.system, Fleet)
        system, copy, began = self.system, self.system.copy_of_redis(), time.monotonic()
        self.copies += 1

        def promote() -> None:
            self.copies -= 1
            if self.confirmed_at() >= began:
                system.kill_redis()
                system.start_redis()
            elif system.promote(copy):
                self.promoted_at.append(time.monotonic())
                self.forgot()

        return promote

    def _freeze_redis(self, _: Disturbance) -> Undo:
        pid = self.system.freeze_redis()
        return lambda: self.system.go_on(pid)

    def _cut(self, what: Disturbance) -> None:
        self._on_way(what.target, Way.cut)

    def _mute(self, what: Disturbance) -> Undo:
        self._on_way(what.target, lambda way: way.mute(True))
        return lambda: self._on_way(what.target, lambda way: way.mute(False))

    def _swallow(self, what: Disturbance) -> Undo:
        self._on_way(what.target, lambda way: way.swallow(True))
        return lambda: self._on_way(what.target, lambda way: way.swallow(False))

    def _on_way(self, name: str, do: Callable[[Way], None]) -> None:
        assert self.system.ways
        self.system.ways.do(name, do)

    def _api_tokens(self, _: Disturbance) -> None:
        self.control.expire_tokens()

    def _break_calls(self, what: Disturbance) -> Undo:
        seed = self.seed + int(1000 * what.at)
        how = FAULTS[what.kind] | ({"when": what.target} if what.target else {})
        number = self.control.fault(endpoint="*", caller=CALLER, fraction=FRACTION, seed=seed, **how)

        def mend() -> None:
            self.calls_hit[what.kind] += sum(rule["hits"] for rule in self.control.faults() if rule["id"] == number)
            self.control.clear_faults(number)

        return mend
