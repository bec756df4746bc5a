"""The parts of a ledger: where each is, and what it is made with. They are imported when they are first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

#: Each part: its module, its class, and what it is made with beside the store and the keys.
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "registry": ("registry", "Registry", "signer"),
    "unread_triggers": ("unread_triggers", "UnreadTriggers"),
    "reading": ("reading", "Reading", "history_length"),
    "moments": ("moments", "Moments"),
    "limits": ("limits", "Limits"),
    "failures": ("limits", "FailuresInARow"),
    "matching": ("matching", "Matching", "history_length", "signer"),
    "armed": ("armed", "Armed"),
    "undecided": ("undecided", "Undecided"),
    "quarantine": ("quarantine", "Quarantine"),
    "refused": ("refused", "Refusals"),
    "adopting": ("adopting", "Adopting", "signer", "refused"),
    "firings": ("firings", "Firings", "retention_seconds", "history_length", "signer"),
    "history": ("history", "History"),
    "operations": ("operations", "Operations", "retention_seconds", "history_length"),
    "homes": ("leaders", "Homes"),
    "syncing": ("syncing", "SyncFields"),
    "notified": ("syncing", "NoticeFields"),
    "mutes": ("mutes", "Mutes"),
    "by_hand": ("manual", "ByHand", "scheduler", "retention_seconds", "history_length", "signer"),
    "retrying": ("retrying", "Retrying"),
    "decided": ("decisions", "Decisions", "scheduler"),
    "audit": ("audit", "Audit", "history_length"),
    "waiting": ("waiting", "Waiting"),
    "turns": ("turns", "Turns", "signer"),
    "edits": ("edits", "Edits"),
    "hinted": ("hinted", "Hinted"),
    "matchers": ("matchers", "Matchers", "hinted"),
    "forgetting": ("forgetting", "Forgetting"),
    "marks": ("forgotten_marks", "ForgottenMarks"),
    "strays": ("strays", "Strays"),
}


#: What is imported by the methods that ask for it.
_ASKED: Final = (
    "api_account",
    "at_work",
    "exclusions",
    "notify_look",
    "poll_look",
    "service_watch",
    "shared",
    "streams",
    "sync_look",
    "upkeep",
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
