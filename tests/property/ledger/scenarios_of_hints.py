"""One scenario for each rule of hints, and of taking partitions."""

from __future__ import annotations

from tests.integration.ledger.helpers import store_batch, task_event
from tests.property.ledger.making import PARTITION, a_batch, lease
from triggers.ledger import Ledger
from triggers.ledger.matching.matchers import Taken

OTHER = (PARTITION + 1) % 16


def taken(ledger: Ledger, held: dict[int, str] | None = None, events: int = 100, first: bool = False) -> Taken:
    return ledger.matchers.take(held or {}, lease_seconds=10, events=events, first=first)[1]


def undecided(ledger: Ledger, partition: int = PARTITION) -> None:
    ledger.store.client.hset(ledger.keys.undecided(partition), "object", "[]")
    ledger.store.client.sadd(ledger.keys.undecided_partitions, partition)


# ---- hints -----------------------------------------------------------------------------------------------
def one_hint_is_under_way(ledger: Ledger) -> None:
    assert ledger.hinted.send("match")
    assert ledger.hinted.send("dispatch"), "each stage has its own"
    assert not ledger.hinted.send("match")
    assert not ledger.hinted.send("match", again_after_ms=60_000)


def a_hint_that_was_taken_is_sent_again(ledger: Ledger) -> None:
    ledger.hinted.send("match")
    taken(ledger, first=True)
    assert ledger.hinted.send("match")


def a_look_in_between_takes_no_hint(ledger: Ledger) -> None:
    ledger.hinted.send("match")
    taken(ledger)
    assert not ledger.hinted.send("match")


def a_lost_hint_is_sent_again(ledger: Ledger) -> None:
    ledger.hinted.send("match")
    assert ledger.hinted.send("match", again_after_ms=0)
    ledger.store.client.hset(ledger.keys.hinted, "match", ledger.now_ms() + 3_600_000)
    assert ledger.hinted.send("match"), "nobody sends hints in the future"


def a_hint_that_is_given_lies_in_its_queue(ledger: Ledger) -> None:
    assert not ledger.hinted.send("match", message=("queue", "a message")), "the caller has nothing to send"
    assert not ledger.hinted.send("match", message=("queue", "another"))
    assert ledger.store.client.lrange("queue", 0, -1) == ["a message"], "one is under way"
    ledger.hinted.take("match")
    ledger.hinted.send("match", message=("queue", "another"))
    assert ledger.store.client.lrange("queue", 0, -1) == ["another", "a message"], "in front, as Celery puts them"


# ---- taking partitions -----------------------------------------------------------------------------------
def a_partition_has_one_matcher(ledger: Ledger) -> None:
    a_batch(ledger)
    assert [one.partition for one in taken(ledger).partitions] == [PARTITION]
    assert taken(ledger).partitions == []
    lease(ledger, f"match:{OTHER}")
    undecided(ledger, OTHER)
    assert taken(ledger, first=True).partitions == []


def a_partition_that_was_lost_is_not_read(ledger: Ledger) -> None:
    a_batch(ledger)
    lease(ledger)
    assert taken(ledger, {PARTITION: "1-old-00000000"}).partitions == []


def an_empty_partition_is_given_back(ledger: Ledger) -> None:
    head = a_batch(ledger)
    (one,) = taken(ledger).partitions
    ledger.matching.commit(PARTITION, one.token, head, [])
    assert taken(ledger, {PARTITION: one.token}).partitions == []
    assert lease(ledger), "anybody may have it"


def a_partition_in_which_more_waits_is_kept(ledger: Ledger) -> None:
    head = a_batch(ledger)
    (one,) = taken(ledger).partitions
    store_batch(ledger, [task_event(changed_ms=2_000)])
    ledger.matching.commit(PARTITION, one.token, head, [])
    (again,) = taken(ledger, {PARTITION: one.token}).partitions
    assert (again.token, again.text) == (one.token, ledger.reading.first_batch(PARTITION))
    assert taken(ledger).partitions == [], "nobody else has it"


def undecided_events_alone_are_looked_at_once(ledger: Ledger) -> None:
    undecided(ledger)
    (one,) = taken(ledger, first=True).partitions
    assert (one.text, one.undecided) == (None, {"object": "[]"})
    assert taken(ledger, {PARTITION: one.token}).partitions == []
    assert lease(ledger), "it was given back"


def no_more_is_taken_than_is_enough(ledger: Ledger) -> None:
    a_batch(ledger)
    ledger.store.client.rpush(ledger.keys.batches(OTHER), "head\nevent")
    ledger.store.client.zadd(ledger.keys.ready, {str(OTHER): ledger.now_ms() + 1})
    found = taken(ledger, events=1)
    assert ([one.partition for one in found.partitions], found.more) == ([PARTITION], 1)
    assert [one.partition for one in taken(ledger).partitions] == [OTHER], "another matcher has the rest"
