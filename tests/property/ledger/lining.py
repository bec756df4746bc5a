"""What the scenarios of lines begin with: many firings at once, and what is taken of them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.integration.ledger.helpers import store_batch, task_event, task_trigger
from triggers.ledger import Ledger, leases
from triggers.ledger.firings.firing import firing_key, trigger_digest
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.polling.batches import decode_batch, partition_of
from triggers.model import Trigger
from triggers.model.action import Lane
from triggers.rules.policies import Mark

FLOOD, SINGLE, THIRD = (task_trigger(name) for name in ("flood", "single", "third"))
#: More than come to stand in lines at once.
MANY = 620


def granted(ledger: Ledger, trigger: Trigger, number: int, lane: Lane = "dispatch") -> list[str]:
    """Firings that one commit of a matcher grants: all at one time. Their keys, in order."""
    objects = [f"{n:032x}" for n in range(number)]
    event, partition = task_event(), partition_of("1" * 32, 16)
    store_batch(ledger, [event])
    token = leases.acquire(ledger.store, ledger.keys, f"match:{partition}", 10)
    text = ledger.reading.first_batch(partition)
    assert token
    assert text
    keys = [firing_key(ledger.scheduler, trigger.id, made, 1) for made in objects]
    changes = [
        MarkChange(trigger.id, made, "", Mark(1, True, 1_000, 1_000).to_text(), grant)
        for made, key in zip(objects, keys, strict=True)
        for grant in [Grant(key, trigger.id, "task", made, 1, 1_000, 1, task_event(made).to_json(), lane)]
    ]
    assert ledger.matching.commit(partition, token, decode_batch(text).head, changes) == number
    leases.release(ledger.store, ledger.keys, f"match:{partition}", token)
    return keys


def claimed(ledger: Ledger, limit: int, lane: Lane = "dispatch") -> list[str]:
    return [firing.key for firing in ledger.firings.claim(lane, limit, 10).firings]


def held_up(ledger: Ledger, trigger: Trigger, number: int) -> list[str]:
    """Firings that wait for their turn at a receiver."""
    keys = granted(ledger, trigger, number, "act")
    while firings := ledger.firings.claim("act", 100, 10).firings:
        ledger.turns.line_up("r", firings)
    return keys


def by_turns(ledger: Ledger) -> Iterator[str]:
    """The triggers of what one claim after the other takes, one firing each."""
    while firings := ledger.firings.claim("dispatch", 1, 10).firings:
        yield firings[0].trigger


def in_ring(ledger: Ledger) -> list[Trigger]:
    """The triggers in the order in which their turns come."""
    return sorted((FLOOD, SINGLE, THIRD), key=lambda one: trigger_digest(ledger.scheduler, one.id))
