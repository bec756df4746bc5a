"""Making triggers, events and firings for the tests of the ledger."""

from __future__ import annotations

from dataclasses import replace

from tests.eventually import eventually as eventually
from triggers.base.errors import Fenced
from triggers.ledger import Ledger, leases
from triggers.ledger.firings.firing import Beginning, Firing, firing_key
from triggers.ledger.firings.firings import Firings
from triggers.ledger.firings.parts import At, PartGrant
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.polling.batches import decode_batch, encode_batches, partition_of
from triggers.ledger.polling.reading import Cursor
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.rules.policies import Mark


def task_trigger(name: str = "on failure", **fields: object) -> Trigger:
    spec = {
        "kind": "task",
        "name": name,
        "action": {"type": "task", "base_task_id": "b" * 32, "queue": "default"},
        "trigger_on_status": ["failed"],
    }
    from triggers.model import TaskTrigger

    return TaskTrigger.model_validate(spec | fields)


def task_event(id_: str = "1" * 32, changed_ms: int = 1_000, **fields: object) -> Event:
    return Event(kind="task", id=id_, changed_ms=changed_ms, **({"status": "failed"} | fields))  # type: ignore[arg-type]


def begin(firings: Firings, firing: Firing, slot: str, ended_holder: str, per_minute: int) -> tuple[str, str]:
    """Ask for one firing alone whether it may be launched."""
    (answer,) = firings.begin([Beginning(firing, slot, ended_holder, per_minute)])
    if isinstance(answer, Fenced):
        raise answer
    return answer


def grant(
    ledger: Ledger, trigger: Trigger, event: Event, *, occurrence: int = 1, lane: str = "dispatch", parts: bool = False
) -> str:
    """Bring one firing into the ledger through all the scripts that lead to it; its key."""
    key = firing_key(ledger.scheduler, trigger.id, event.id, occurrence)
    store_batch(ledger, [event])
    partition = partition_of(event.id, 16)
    token = leases.acquire(ledger.store, ledger.keys, f"match:{partition}", 10)
    assert token
    text = ledger.reading.first_batch(partition)
    assert text
    made = Grant(key, trigger.id, "task", event.id, occurrence, event.changed_ms, 1, event.to_json(), lane)  # type: ignore[arg-type]
    if parts:
        times: tuple[At, ...] = ("begin", "launched", "dead")
        named = tuple(PartGrant(f"{key}-{at[0]}", at, "act", "posting:0") for at in times)
        made = replace(made, parts=named)
    mark = Mark(occurrence, True, event.changed_ms, event.changed_ms)
    before = ledger.matching.marks([(trigger.id, event.id)])[trigger.id, event.id]
    expected = before.to_text() if before.occurrence else ""
    ledger.matching.commit(
        partition, token, decode_batch(text).head, [MarkChange(trigger.id, event.id, expected, mark.to_text(), made)]
    )
    leases.release(ledger.store, ledger.keys, f"match:{partition}", token)
    return key


def store_batch(ledger: Ledger, events: list[Event], *, plan: int = 1) -> None:
    with ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as token:
        assert token
        batches = encode_batches(events, plan=plan, polled_ms=1, partitions=16, size=100)
        ledger.reading.commit("tasks", token, Cursor(1, plan), events, batches, forget_before_ms=0, server_ms=1)


def claim_one(ledger: Ledger, lease_seconds: float = 10) -> Firing:
    (firing,) = ledger.firings.claim("dispatch", 10, lease_seconds).firings
    return firing
