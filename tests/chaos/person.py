"""A person who operates two triggers at random, and keeps the book on it.

What is done is done by the registry's own writers, as the verbs do it, again and again until it is confirmed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.chaos.book import RETURNING, WATCHED, Absence, Book
from tests.chaos.changes import Life
from tests.chaos.plan import Disturbance
from triggers.base.errors import TriggersError
from triggers.ledger import Ledger
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger

#: how the registry knows the triggers that are operated
IDS = {name: f"task:{name}" for name in (WATCHED, RETURNING)}
#: the writer that the command line is
ORIGIN = "command"


class Person:
    """Operates the triggers.

    Args:
        ask: asks the ledger; None while Redis is away.
        runs: the objects of a trigger that have run by now.
        server_now_ms: the time of the ClearML server.
        apart: seconds by which that server's clocks differ.
    """

    def __init__(
        self,
        ask: Callable[[Callable[[Ledger], Any]], Any],
        *,
        runs: Callable[[str], frozenset[str]],
        server_now_ms: Callable[[], int],
        apart: float,
    ) -> None:
        self.ask, self.runs, self.server_now_ms = ask, runs, server_now_ms
        self.book = Book(apart=apart + 3.0)  # and what a whole second more or less makes
        self.acted_at = 0.0
        self._busy: set[str] = set()
        self._edition = 0

    def act(self, what: Disturbance) -> Life:
        """Carry out one act; those on one trigger follow one another."""
        kind = what.kind.removeprefix("operator ")
        trigger = RETURNING if kind == "retires" else WATCHED
        yield lambda: trigger not in self._busy
        self._busy.add(trigger)
        steps = {"pauses": self._pauses, "drops": self._drops, "edits": self._edits, "retires": self._retires}
        yield from steps[kind](what.seconds)
        self._busy.discard(trigger)

    # ---- acts ----
    def _pauses(self, seconds: float) -> Life:
        yield from self._paused(seconds, drop=False)

    def _drops(self, seconds: float) -> Life:
        yield from self._paused(seconds, drop=True)

    def _paused(self, seconds: float, *, drop: bool) -> Life:
        yield self._until(lambda ledger: _edit(ledger, WATCHED, lambda old, _: replace(old, paused=True)))
        began = time.monotonic()
        yield lambda: time.monotonic() >= began + seconds
        if drop:
            yield self._until(self._drop_held)
        ran = self.runs(WATCHED)
        self.book.early += [name for name, at in self.book.changed.items() if at >= began and name in ran]
        yield self._until(lambda ledger: _edit(ledger, WATCHED, lambda old, _: replace(old, paused=False)))

    def _drop_held(self, ledger: Ledger) -> bool:
        """Drop every second one of those that are held; what was asked for once is asked for again until confirmed."""
        hold = f"pause:{IDS[WATCHED]}"
        held = sorted(ledger.operations.held(hold), key=lambda firing: firing.key)
        names = {firing.key: json.loads(firing.event)["name"] for firing in held}
        chosen = [key for key in names if names[key] in self.book.dropped or int(names[key].rpartition("-")[2]) % 2]
        self.book.dropped |= {names[key] for key in chosen}
        ledger.operations.drop_held(hold, chosen, "a person")
        return True

    def _edits(self, _: float) -> Life:
        self._edition += 1
        edition = f"{self._edition}"

        def edited(old: Entry, _: int) -> Entry:
            body = json.loads(old.trigger.to_json())
            body["action"]["parameters"]["Args/edition"] = edition
            return replace(old, trigger=Trigger.from_json(json.dumps(body)), origin=ORIGIN)

        yield self._until(lambda ledger: _edit(ledger, WATCHED, edited))

    def _retires(self, seconds: float) -> Life:
        ran, retiring = self.runs(RETURNING), time.monotonic()
        yield self._until(
            lambda ledger: _edit(ledger, RETURNING, lambda old, _: replace(old, retired=True, origin=ORIGIN))
        )
        retired = time.monotonic()
        yield lambda: time.monotonic() >= retired + seconds
        returning = time.monotonic()

        def back(old: Entry, version: int) -> Entry:
            if not old.retired:  # it was confirmed, and nobody heard it
                return old
            return replace(
                old, retired=False, since_ms=self.server_now_ms(), version=version, origin=ORIGIN, ahead_ms=0
            )

        yield self._until(lambda ledger: _edit(ledger, RETURNING, back))
        self.book.absences.append(Absence(retiring, retired, returning, time.monotonic(), ran))

    def _until(self, do: Callable[[Ledger], bool]) -> Callable[[], bool]:
        """Whether it is done and confirmed by now; asked again else."""

        def attempt(ledger: Ledger) -> bool:
            ledger.know_run()
            try:
                return do(ledger)
            except TriggersError:
                return False

        def confirmed() -> bool:
            done = bool(self.ask(attempt))
            self.acted_at = time.monotonic()
            return done

        return confirmed


def _edit(ledger: Ledger, name: str, change: Callable[[Entry, int], Entry]) -> bool:
    id_ = IDS[name]

    def edit(known: Any, version: int) -> dict[str, Entry | None]:
        old = known.entries[id_]
        new = change(old, version)
        return {} if new == old else {id_: new}

    ledger.registry.edit(edit)
    return True
