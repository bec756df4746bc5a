"""Counts never expire, also of what a flood has pushed out of the history."""

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


def test_words_of_an_earlier_release_are_read_as_those_of_today(redis_client: redis.Redis, settings: Settings) -> None:
    ledger = open_ledger(Store(redis_client), "s", settings)
    ledger.adopt_epoch(nothing_launched_before=True)
    trigger = task_trigger("t")
    for what in ("retry", "revived"):
        fields = {"what": what, "trigger": trigger.id, "object": "o", "firing": "f", "reason": "why", "task": ""}
        redis_client.xadd(ledger.keys.history, fields)
        redis_client.hset(ledger.keys.tallies, f"{what} {trigger.id}", "3 1000 older ")
    grant(ledger, trigger, task_event("a" * 32))
    ledger.firings.fail(claim_one(ledger), "dispatch", 0, "why")
    assert [entry.what for entry in ledger.history.read()] == ["failed", "retried", "granted", "failed"]
    assert [entry.object for entry in ledger.history.latest("failed", count=9)] == ["a" * 32, "o"]
    for counted, before in ((ledger.history.tallies(), 3), (ledger.history.recent(0), 1)):
        sums = {tally.what: tally for tally in counted}
        assert (sums["failed"].count, sums["retried"].count, len(sums), len(counted)) == (before + 1, before, 3, 3)
        assert sums["failed"].object == "a" * 32, "the last of them"
