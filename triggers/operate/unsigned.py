"""What is not signed by a key of `TRIGGERS_SIGNING_KEY`: looked at, adopted on a person's word, or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triggers.base.errors import Usage
from triggers.ledger.registry.registry import Snapshot
from triggers.operate.target import Target


@dataclass(frozen=True, slots=True)
class UnsignedItem:
    """One thing: what it is, why it is refused, and when it was; None where it lies where it always did."""

    what: str
    why: str
    at_ms: int | None = None


def look(target: Target) -> list[UnsignedItem]:
    """Quarantined triggers, firings that would be refused, and what was refused."""
    _require_key(target)
    ledger = target.ledger
    triggers = [
        UnsignedItem(f"trigger {id_}", unread.why)
        for id_, unread in ledger.registry.snapshot().unreadable.items()
        if unread.unsigned is not None
    ]
    waiting = [UnsignedItem(f"firing {one.key}", one.unread) for one in ledger.adopting.unsigned_firings()]
    refused = [UnsignedItem(one.what, one.why, one.at_ms) for _, one in ledger.refused.read()]
    return [*triggers, *waiting, *refused]


def adopt(target: Target, by: str = "") -> dict[str, int]:
    """Sign all of it, put refused batches back, retry refused firings; how much of each. Safe to repeat."""
    _require_key(target)
    ledger = target.ledger
    with ledger.audit.change("unsigned adopt", by=by) as came:
        ledger.enter(target.scheduler)
        came |= {"triggers": _triggers(target), "events": ledger.adopting.events()}
        signed = ledger.adopting.firings()
        came["firings"] = len(signed)
        came["retried"] = sum(map(ledger.operations.retry_dead, signed))
        ledger.refused.drop()
    return {name: int(came[name]) for name in ("triggers", "events", "firings", "retried")}


def drop(target: Target) -> int:
    """Forget what was refused, and end its alarm; how much it was. Dead letters stay, and quarantined triggers."""
    with target.ledger.audit.change("unsigned drop") as came:
        came["dropped"] = target.ledger.refused.drop()
    return int(came["dropped"])


def _triggers(target: Target) -> int:
    adopted: dict[str, Any] = {}

    def edit(known: Snapshot, _: int) -> dict[str, Any]:
        adopted.clear()
        adopted.update({id_: one.unsigned for id_, one in known.unreadable.items() if one.unsigned is not None})
        return adopted

    target.ledger.registry.edit(edit)
    return len(adopted)


def _require_key(target: Target) -> None:
    if not target.ledger.signer.has_key:
        raise Usage(
            "nothing is signed or refused without a key: set TRIGGERS_SIGNING_KEY (or its file in the secrets folder) "
            "to the key that the workers have"
        )
