"""Edits of the registry with a line in the audit log: by a script, a file of triggers, or an edit in ClearML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triggers.clearml_api import Api
from triggers.clearml_api.workspace import name_of_user, user_of
from triggers.ledger import Ledger
from triggers.ledger.history.audit import who
from triggers.ledger.registry.registry import Edit, Entry, Snapshot


def audited(ledger: Ledger, edit: Edit, what: str, by: str, **detail: Any) -> Snapshot:
    """Make an edit of the registry, with a line that names the triggers; none where nothing changes."""
    known = ledger.registry.snapshot()
    names = _named(known, edit(known, known.version + 1))
    if not any(names.values()):
        return ledger.registry.edit(edit)
    with ledger.audit.change(what, by, **detail, **names):
        return ledger.registry.edit(edit)


def _named(known: Snapshot, changes: Mapping[str, Entry | None]) -> dict[str, list[str]]:
    """Names of the triggers that are added, edited and removed."""
    names: dict[str, list[str]] = {"added": [], "edited": [], "removed": []}
    for id_, entry in sorted(changes.items()):
        old, name = known.get(id_), id_.partition(":")[2]
        if entry is None or entry.retired:
            names["removed"] += [name] if old else []
        elif old is None:
            names["added"].append(name)
        elif old.trigger != entry.trigger:
            names["edited"].append(name)
    return names


def at_keyboard(api: Api) -> str:
    """Who runs this script, as the system and ClearML know them."""
    return f"{who()}, ClearML user {name_of_user(api)}"


def in_clearml(api: Api, changed_by: str) -> str:
    """Who edited the service task, as far as ClearML knows: the user who changed it last."""
    if changed_by and changed_by != user_of(api):
        return f"ClearML user {name_of_user(api, changed_by)}"
    return f"ClearML user {name_of_user(api)}, or somebody whose change the scheduler of that user has covered"
