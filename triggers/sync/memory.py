"""The memory of one turn of sync: typed fields over what the ledger keeps, written back in one go."""

from __future__ import annotations

import json
from typing import Any

from triggers.ledger.syncing import LeasedFields


class Memory:
    """Fields: `task` (service task it is about), `version` (registry written there), `written:<section>`
    (trigger id → digest), `projects` (name → id as written), `problems`, `read_ms`, `kept_ms`, `told` (history id),
    `changed_by` (another user), `looked_ms`, `rival` (lease of another Redis as last seen),
    `kept_run` (run of Redis that renewed last), `known_runs` (whose leases it saw then),
    `ends` (ClearML task → [status, end]), `plot:<title>` (digest of what is shown).
    """

    def __init__(self, syncing: LeasedFields, token: str) -> None:
        self._syncing, self._token = syncing, token
        self._known = syncing.read()
        self._changed: dict[str, str] = {}

    def text(self, name: str) -> str:
        """A field, "" if there is none."""
        return self._changed.get(name, self._known.get(name, ""))

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
        """Change a field; what is no text becomes JSON."""
        text = value if isinstance(value, str) else json.dumps(value)
        if text != self.text(name):
            self._changed[name] = text

    def begin(self, task: str) -> bool:
        """Forget what is about another service task; whether it was."""
        if self.text("task") == task:
            return False
        for name in self._known:
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
