"""How each trigger stands: its state, and how many of its firings are dead or held. By a few reads of Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from triggers import sources
from triggers.ledger import Ledger
from triggers.ledger.firing import trigger_digest
from triggers.ledger.registry import Entry, Snapshot
from triggers.ledger.retrying import Failing
from triggers.sync.report import Standing


def standings(ledger: Ledger, snapshot: Snapshot, max_attempts: int) -> dict[str, Standing]:
    """Trigger id → how it stands."""
    plans = {source.name: ledger.reading.cursor(source.name).plan for source in sources.serving(snapshot.active)}
    held, dead = ledger.retrying.held_and_dead(ledger.firings.holds())
    worst: dict[str, Failing] = {}
    for one in ledger.retrying.failing():
        if one.trigger not in worst or worst[one.trigger].failures < one.failures:
            worst[one.trigger] = one
    return {
        entry.trigger.id: _standing(ledger, entry, plans, held, dead, worst.get(entry.trigger.id), max_attempts)
        for entry in snapshot.active
    }


def _standing(
    ledger: Ledger,
    entry: Entry,
    plans: Mapping[str, int],
    held: Counter[str],
    dead: Counter[str],
    worst: Failing | None,
    max_attempts: int,
) -> Standing:
    digest = trigger_digest(ledger.scheduler, entry.trigger.id)
    state = "new" if entry.version > plans[sources.of_kind(entry.trigger.kind).name] else "active"
    if worst is not None:
        state = f"failing ({worst.failures} of {max_attempts})"
    return Standing("paused" if entry.paused else state, dead[digest], held[digest])
