"""What a trigger, a remembered object, an open firing and a launched ClearML task cost in Redis.

    python -m tests.benchmarks.memory [COUNT]

Fills an empty private Redis through the ledger's own scripts and reports the growth of `used_memory`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.result import Result
from tests.benchmarks.server import new_ledger, redis
from triggers.base.settings import Settings
from triggers.ledger import Ledger, connect, leases
from triggers.ledger.firings.firing import firing_key
from triggers.ledger.matching.changes import Grant, MarkChange
from triggers.ledger.polling.batches import decode_batch, encode_batches
from triggers.ledger.polling.reading import Cursor
from triggers.model import Trigger, make_trigger
from triggers.model.events import Event
from triggers.rules.policies import Mark

TRIGGERS, COUNT = 1_000, 20_000
FREED = "freed when all had ended, of used memory"


def trigger(number: int) -> Trigger:
    action = {
        "type": "task",
        "base_task_id": f"{number:032x}",
        "queue": "default",
        "tag": f"trigger {number}",
        "parameters": {"Args/source": "${task.id}"},
    }
    return make_trigger(
        "task", name=f"trigger {number}", action=action, trigger_project="Some/project", trigger_on_status=["failed"]
    )


def grant(ledger: Ledger, count: int, first: int = 0) -> None:
    """Grant firings of one trigger, a batch of 100 at a time, as a matcher does; objects are numbered from `first`."""
    for start in range(first, first + count, 100):
        events = [
            Event(
                "task", f"{n:032x}", 1_790_000_000_000 + n, name=f"train {n}", project="Some/project", status="failed"
            )
            for n in range(start, start + 100)
        ]
        with ledger.reading.poll(pace_seconds=0, lease_seconds=5, force=True) as token:
            assert token
            batches = encode_batches(events, plan=1, polled_ms=1, partitions=1, size=100)
            ledger.reading.commit("tasks", token, Cursor(1, 1), [], batches, forget_before_ms=0, server_ms=1)
        lease = leases.acquire(ledger.store, ledger.keys, "match:0", 10)
        text = ledger.reading.first_batch(0)
        assert lease
        assert text
        changes = []
        for event in events:
            key = firing_key(ledger.scheduler, "task:t", event.id, 1)
            made = Grant(key, "task:t", "task", event.id, 1, event.changed_ms, 1, event.to_json(), "dispatch")
            mark = Mark(1, True, event.changed_ms, event.changed_ms).to_text()
            changes.append(MarkChange("task:t", event.id, "", mark, made))
        ledger.matching.commit(0, lease, decode_batch(text).head, changes)
        leases.release(ledger.store, ledger.keys, "match:0", lease)


def launch(ledger: Ledger) -> None:
    """End every firing as launched; then their records are gone, as after their retention."""
    while claimed := ledger.firings.claim("dispatch", 100, 60).firings:
        for firing in claimed:
            ledger.firings.launched(firing, "dispatch", task_id=firing.key)
            ledger.store.client.delete(ledger.keys.firing(firing.key))


def sizes(count: int) -> dict[str, float]:
    """Bytes of each, and the share of used memory that is free again when all has ended."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, redis(Path(folder)) as url, connect(url) as client:

        def used() -> int:
            return int(client.info("memory")["used_memory"])  # type: ignore[index]

        def grown(what: str, do: Callable[[], object], number: int) -> None:
            before = used()
            do()
            found[what] = (used() - before) / number

        ledger = new_ledger(client, Settings())
        triggers = [trigger(n) for n in range(TRIGGERS)]
        grown("trigger", lambda: ledger.registry.declare(triggers, origin="script", server_now_ms=1), TRIGGERS)
        grown("open firing, with the object's mark", lambda: grant(ledger, count), count)
        full = used()
        launch(ledger)
        client.delete(ledger.keys.launched, ledger.keys.launched_times, ledger.keys.history, ledger.keys.events)
        marks = client.memory_usage(ledger.keys.marks("task:t"), samples=0)
        found["remembered object (mark)"] = float(marks) / count  # type: ignore[arg-type]
        found[FREED] = 100 * (full - used()) / full
    return found


def measure(runs: int) -> list[Result]:
    """Once is enough: Redis counts bytes."""
    del runs
    return [Result(f"Redis memory: {what}", "bytes", (size,)) for what, size in sizes(COUNT).items() if what != FREED]


def main() -> None:
    for what, size in sizes(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT).items():
        print(f"{what:48} {size:8.0f} {'%' if what == FREED else 'bytes'}")


if __name__ == "__main__":
    main()
