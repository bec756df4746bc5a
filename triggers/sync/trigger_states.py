"""How each trigger stands: its state, and how many of its firings are dead or held. By a few reads of Redis."""

from __future__ import annotations

from collections import Counter

from triggers import sources
from triggers.ledger import Ledger
from triggers.ledger.firings.firing import trigger_digest
from triggers.ledger.firings.retrying import Failing
from triggers.ledger.looks.sync_look import SyncLook
from triggers.ledger.registry.registry import Snapshot
from triggers.model.kinds import KINDS
from triggers.sync.report import ACTIVE, Standing


def standings(ledger: Ledger, look: SyncLook, snapshot: Snapshot, max_attempts: int) -> dict[str, Standing]:
    """Trigger id → how it stands, of those that are not just active; all others are `ACTIVE`. At rest by no trip."""
    held, dead = _held_and_dead(ledger, look)
    worst: dict[str, Failing] = {}
    for one in ledger.retrying.failing() if look.has_due else ():
        if one.trigger not in worst or worst[one.trigger].failures < one.failures:
            worst[one.trigger] = one
    read = {kind: look.plans.get(sources.of_kind(kind).name, 0) for kind in KINDS}
    found = {}
    for entry in snapshot.active:
        id_ = entry.trigger.id
        digest = trigger_digest(ledger.scheduler, id_) if held or dead else ""
        state = "new" if entry.version > read[entry.trigger.kind] else "active"
        if id_ in worst:
            state = f"failing ({worst[id_].failures} of {max_attempts})"
        standing = Standing("paused" if entry.paused else state, dead[digest], held[digest])
        if standing != ACTIVE:
            found[id_] = standing
    return found


def _held_and_dead(ledger: Ledger, look: SyncLook) -> tuple[Counter[str], Counter[str]]:
    if not look.holds and not look.has_dead:
        return Counter(), Counter()
    return ledger.retrying.held_and_dead(look.holds)
