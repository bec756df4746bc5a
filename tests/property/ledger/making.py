"""What the scenarios of the scripts begin with."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.ledger.helpers import claim_one, grant, store_batch, task_event, task_trigger
from triggers.base.errors import EpochChanged, Fenced
from triggers.ledger import Ledger, clock, leases
from triggers.ledger.firings.firing import Firing, firing_key
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.matching.forgotten_marks import KeptMark
from triggers.ledger.polling.batches import decode_batch, partition_of
from triggers.rules.policies import Mark

OBJECT = "1" * 32
PARTITION = partition_of(OBJECT, 16)
TRIGGER = task_trigger()
ARGUMENTS = {"forget_before_ms": 0, "server_ms": 1}


def refused(call: Callable[[], object]) -> bool:
    """Whether the call learns that it lost its lease."""
    try:
        call()
    except (Fenced, EpochChanged):
        return True
    return False


def expire(ledger: Ledger, key: str) -> None:
    ledger.store.client.zadd(ledger.keys.due("dispatch"), {key: 0})


def overtaken(ledger: Ledger) -> tuple[Firing, Firing]:
    """A frozen owner of a firing and the one who has it now."""
    key = grant(ledger, TRIGGER, task_event())
    frozen = claim_one(ledger)
    expire(ledger, key)
    return frozen, claim_one(ledger)


def another_run(ledger: Ledger) -> None:
    """What a caller looks like that knows an older run of Redis."""
    ledger.store.run_id = "0" * 40


def a_batch(ledger: Ledger, changed_ms: int = 1_000) -> str:
    store_batch(ledger, [task_event(changed_ms=changed_ms)])
    text = ledger.reading.first_batch(PARTITION)
    assert text
    return decode_batch(text).head


def lease(ledger: Ledger, name: str = f"match:{PARTITION}") -> str:
    token = leases.acquire(ledger.store, ledger.keys, name, 10)
    assert token
    return token


def lose(ledger: Ledger, name: str = f"match:{PARTITION}") -> str:
    """Let a lease expire and another take it."""
    ledger.store.client.delete(ledger.keys.lease(name))
    return lease(ledger, name)


def change(occurrence: int = 1, expected: str = "", changed_ms: int = 1_000) -> MarkChange:
    key = firing_key("scheduler-under-test", TRIGGER.id, OBJECT, occurrence)
    event = task_event(changed_ms=changed_ms)
    made = Grant(key, TRIGGER.id, "task", OBJECT, occurrence, changed_ms, 1, event.to_json(), "dispatch")
    return MarkChange(TRIGGER.id, OBJECT, expected, Mark(occurrence, True, changed_ms, changed_ms).to_text(), made)


def mark_of(ledger: Ledger) -> Mark:
    return ledger.matching.marks([(TRIGGER.id, OBJECT)])[TRIGGER.id, OBJECT]


def two_firings(ledger: Ledger) -> list[Firing]:
    keys = [grant(ledger, TRIGGER, task_event(str(number) * 32)) for number in range(2)]
    claimed = {firing.key: firing for firing in ledger.firings.claim("dispatch", 10, 10).firings}
    return [claimed[key] for key in keys]


def set_back(ledger: Ledger, seconds: int) -> None:
    """What Redis sees when its wall clock is set back: its time was later by so much when it last looked."""
    now_ms, ahead_ms = clock.read(ledger.store.client, ledger.keys)
    facts = {"clock_ms": now_ms, "ahead_ms": ahead_ms - 1000 * seconds}
    ledger.store.client.hset(ledger.keys.epoch, mapping=facts)


def passes(ledger: Ledger, seconds: int) -> None:
    """Let time pass by the ledger's clock."""
    ledger.store.client.hincrby(ledger.keys.epoch, "ahead_ms", 1000 * seconds)


#: Of an object that fired once.
FIRED = Mark(1, True, 1_000, 1_000)


def seen(ledger: Ledger, mark: Mark = FIRED) -> KeptMark:
    """A mark whose firing is over and forgotten, as a round of forgetting reads it."""
    ledger.store.client.hset(ledger.keys.marks(TRIGGER.id), OBJECT, mark.to_text())
    return KeptMark(TRIGGER.id, OBJECT, mark.to_text(), mark)


def forget(ledger: Ledger, one: KeptMark, *, may_fire: bool = True) -> int:
    key = firing_key("scheduler-under-test", TRIGGER.id, OBJECT, one.mark.occurrence)
    return ledger.marks.forget(TRIGGER.id, [(one, key)], may_fire=may_fire)
