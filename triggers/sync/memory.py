"""The memory of one turn of sync: typed fields over what the ledger keeps, written back in one go."""

from __future__ import annotations

import json
from typing import Any, Final

from triggers import sources
from triggers.ledger import Ledger
from triggers.ledger.looks.sync_look import SyncLook

#: Fields that most turns look at. All others are read when somebody asks: some grow with the number of triggers.
_SMALL: Final = (
    "task", "version", "problems", "problems:open", "read_ms", "kept_ms", "told", "changed_by", "looked_ms", "rival",
    "kept_run", "known_runs", "ends", "tabled", "compared_ms", "seen", "clocks_doubted", "clocks_compared",
    "plot:Triggers Executed", "rival_ms", "noted_ms", "pinged_ms", "written_ms", "answers_ms", "kept_from",
    "kept_state", "read_change", "callers", "refused", "checked_ms",
)  # fmt: skip


class Memory:
    """What sync remembers, and `look`: how the scheduler was when the turn began.

    Fields: `task` (service task it is about), `version` (registry written there), `written:<kind>`
    (trigger id → digest, in the order of the section), `text:<kind>` (digest of the section that says so, where it
    says nothing else), `seen` (digest of all sections at `version`), `projects` (name → id as written), `problems`,
    `read_ms`, `read_change` (`noted_ms` as the sections were read), `told` (history id), `changed_by` (another user),
    `looked_ms`, `ends` (ClearML task → [status, end]), `plot:<title>` (digest of what is shown).

    Of the lease: `kept_ms`, `checked_ms`, `pinged_ms`, `noted_ms` (`rest.LastCalls`), `written_ms` (when it was written
    last), `answers_ms` (what it says), `kept_from`, `kept_state` (`saving`), `kept_run` (run of Redis that renewed
    last), `known_runs` (whose leases it saw then), `rival` (lease of another Redis as last seen), `rival_ms` (since
    when it is so), `callers` (digest of what others say on the service tasks), `refused` (it cannot be used).
    """

    def __init__(self, ledger: Ledger, token: str) -> None:
        self._ledger, self._syncing, self._token = ledger, ledger.syncing, token
        self.look = self._look()
        self._known = dict(self.look.fields)
        self._changed: dict[str, str] = {}

    def _look(self) -> SyncLook:
        return self._ledger.look_before_sync([source.name for source in sources.SOURCES], _SMALL)

    def look_again(self) -> None:
        """Find out how the scheduler is now, after something was done; what is remembered stays as this turn has it."""
        self.look = self._look()

    def text(self, name: str) -> str:
        """A field, "" if there is none."""
        if name in self._changed:
            return self._changed[name]
        if name not in self._known:
            self._known |= self._syncing.read((name,))
        return self._known[name]

    def number(self, name: str) -> int:
        """A field that is a number, 0 if it is missing or corrupt."""
        try:
            return int(self.text(name) or 0)
        except ValueError:
            return 0

    def value(self, name: str) -> Any:
        """A field that is a JSON dictionary, an empty one if it is missing or corrupt."""
        try:
            value = json.loads(self.text(name) or "{}")
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def put(self, name: str, value: Any) -> None:
        """Change a field; what is not a text becomes JSON."""
        text = value if isinstance(value, str) else json.dumps(value)
        if text != self.text(name):
            self._changed[name] = text

    def begin(self, task: str) -> bool:
        """Forget what is about another service task; whether it was."""
        if self.text("task") == task:
            return False
        for name in self._syncing.names():
            if name not in ("told", "ends"):
                self._changed[name] = ""
        self.put("task", task)
        return True

    def save(self) -> None:
        """Write what has changed.

        Raises:
            Fenced: another syncs now.
        """
        self._syncing.write(self._token, self._changed)
        self._known.update(self._changed)
        self._changed = {}
