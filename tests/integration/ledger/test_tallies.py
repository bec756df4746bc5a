"""What happened is counted for ever, also what a flood has pushed out of the history."""

from __future__ import annotations

import redis

from tests.integration.ledger.helpers import claim_one, grant, task_event, task_trigger
from triggers.base.settings import Settings
from triggers.ledger import Store, open_ledger


def test_counts_outlive_the_history(redis_client: redis.Redis, settings: Settings) -> None:
    ledger = open_ledger(Store(redis_client), "s", settings.model_copy(update={"history_length": 100}))
    ledger.adopt_epoch(nothing_launched_before=True)
    rare, flood = task_trigger("rare, with a name of words"), task_trigger("flood")
    grant(ledger, rare, task_event("r" * 32))
    ledger.firings.launched(claim_one(ledger), "dispatch", task_id="t1")
    for number in range(400):
        grant(ledger, flood, task_event(f"{number:032x}", changed_ms=2_000))
    assert rare.id not in {entry.trigger for entry in ledger.history.read(count=10_000)}
    counted = {(tally.trigger, tally.what): tally for tally in ledger.history.tallies()}
    assert {key: tally.count for key, tally in counted.items()} == {
        (rare.id, "granted"): 1,
        (rare.id, "launched"): 1,
        (flood.id, "granted"): 400,
    }
    last = counted[rare.id, "launched"]
    assert (last.object, last.task) == ("r" * 32, "t1")
    assert abs(last.last_ms - ledger.now_ms()) < 60_000
