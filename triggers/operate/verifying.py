"""Whether the audit log is whole: its chain, and what the service task has shown of it."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.base.errors import TriggersError
from triggers.ledger.history.chain import Link
from triggers.operate.target import Target
from triggers.sync.saved_state import PROPERTY, newest
from triggers.sync.trust import believed


@dataclass(frozen=True, slots=True)
class Verification:
    """How many lines of the chain are kept, what is wrong with them, and why ClearML was not asked ("": it was)."""

    lines: int
    faults: list[str]
    not_compared: str = ""


def verify(target: Target) -> Verification:
    """Check the chain. Without a ClearML server only what Redis holds is checked, and the verdict says so."""
    shown, why = Link(), ""
    try:
        shown = _shown(target)
    except TriggersError as failure:
        why = str(failure)
    lines, faults = target.ledger.audit.verify(shown)
    return Verification(lines, faults, why)


def _shown(target: Target) -> Link:
    """The last line as the service task shows it."""
    scheduler = target.scheduler
    services = believed(target.api, scheduler.id, scheduler.service_task, target.settings.service_users)
    _, saved = newest(one.runtime.get(PROPERTY) for one in services)
    return Link.from_text(saved.audit) if saved else Link()
