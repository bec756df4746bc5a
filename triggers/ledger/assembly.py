"""The parts of a ledger: where each is, and what it is made with. They are imported when they are first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

#: Each part: its module, its class, and what it is made with beside the store and the keys.
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "registry": ("registry.registry", "Registry", "signer"),
    "unread_triggers": ("registry.unread_triggers", "UnreadTriggers"),
    "reading": ("polling.reading", "Reading", "history_length"),
    "moments": ("matching.moments", "Moments"),
    "limits": ("firings.limits", "Limits"),
    "failures": ("firings.limits", "FailuresInARow"),
    "matching": ("matching.matching", "Matching", "history_length", "signer"),
    "armed": ("matching.armed", "Armed"),
    "undecided": ("matching.undecided", "Undecided"),
    "quarantine": ("operating.quarantine", "Quarantine"),
    "refused": ("operating.refused", "Refusals"),
    "adopting": ("operating.adopting", "Adopting", "signer", "refused"),
    "firings": ("firings.firings", "Firings", "retention_seconds", "history_length", "signer"),
    "history": ("history.history", "History"),
    "operations": ("operating.operations", "Operations", "retention_seconds", "history_length"),
    "homes": ("deployment.leaders", "Homes"),
    "syncing": ("looks.syncing", "SyncFields"),
    "notified": ("looks.syncing", "NoticeFields"),
    "mutes": ("operating.mutes", "Mutes"),
    "by_hand": ("operating.manual", "ByHand", "scheduler", "retention_seconds", "history_length", "signer"),
    "retrying": ("firings.retrying", "Retrying"),
    "decided": ("matching.decisions", "Decisions", "scheduler"),
    "audit": ("history.audit", "Audit", "history_length"),
    "waiting": ("firings.waiting", "Waiting"),
    "turns": ("firings.turns", "Turns", "signer"),
    "edits": ("matching.edits", "Edits"),
    "hinted": ("hinted", "Hinted"),
    "matchers": ("matching.matchers", "Matchers", "hinted"),
    "forgetting": ("firings.forgetting", "Forgetting"),
    "marks": ("matching.forgotten_marks", "ForgottenMarks"),
    "strays": ("firings.strays", "Strays"),
}


#: What is imported by the methods that ask for it.
_ASKED: Final = (
    "api_budget.api_account",
    "deployment.at_work",
    "deployment.exclusions",
    "deployment.shared",
    "history.streams",
    "looks.notify_look",
    "looks.poll_look",
    "looks.sync_look",
    "looks.upkeep",
    "polling.service_watch",
)


def class_of(part: str) -> Any:
    """The class of a part."""
    module, name, *_ = PARTS[part]
    return getattr(import_module(f"triggers.ledger.{module}"), name)


def import_parts() -> None:
    """Import all of them: for processes that run for long, whose files another release may replace meanwhile."""
    for part in PARTS:
        class_of(part)
    for name in _ASKED:
        import_module(f"triggers.ledger.{name}")
