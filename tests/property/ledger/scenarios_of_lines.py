"""One scenario for each rule of lines: triggers take turns, each firing stands in one line, and none is forgotten."""

from __future__ import annotations

from tests.integration.ledger.helpers import task_trigger
from tests.property.ledger.lining import FLOOD, MANY, SINGLE, THIRD, by_turns, claimed, granted, held_up, in_ring
from triggers.ledger import Ledger


def a_flood_of_one_trigger_lets_others_in(ledger: Ledger) -> None:
    flood, *others = in_ring(ledger)
    granted(ledger, flood, 20)
    singles = [key for other in others for key in granted(ledger, other, 1)]
    assert set(singles) < set(claimed(ledger, 3))


def a_flood_at_a_receiver_lets_others_in(ledger: Ledger) -> None:
    held_up(ledger, FLOOD, 20)
    (single,) = held_up(ledger, SINGLE, 1)
    assert single in [firing.key for firing in ledger.turns.claim("r", 2, 10).firings]


def triggers_take_turns_from_claim_to_claim(ledger: Ledger) -> None:
    for trigger, number in ((FLOOD, 4), (SINGLE, 2), (THIRD, 2)):
        granted(ledger, trigger, number)
    order = list(by_turns(ledger))
    assert sorted(order[:3]) == sorted(order[3:6]) == sorted(one.id for one in (FLOOD, SINGLE, THIRD)), order
    assert order[6:] == [FLOOD.id] * 2


def firings_of_a_trigger_keep_the_order_of_their_grant(ledger: Ledger) -> None:
    keys = granted(ledger, FLOOD, 30)
    granted(ledger, SINGLE, 3)
    taken = claimed(ledger, 7) + claimed(ledger, 20) + claimed(ledger, 100)
    assert [key for key in taken if key in keys] == keys


def firings_at_a_receiver_keep_the_order_of_their_grant(ledger: Ledger) -> None:
    keys = held_up(ledger, FLOOD, 30)
    held_up(ledger, SINGLE, 3)
    taken = [firing.key for limit in (7, 20, 100) for firing in ledger.turns.claim("r", limit, 10).firings]
    assert [key for key in taken if key in keys] == keys
    assert not ledger.store.client.exists(ledger.keys.lines("receiver:r"), ledger.keys.served("receiver:r"))


def what_is_due_again_stands_behind_what_was_due_before(ledger: Ledger) -> None:
    first, *others = granted(ledger, FLOOD, 3)
    (firing,) = ledger.firings.claim("dispatch", 1, 10).firings
    assert firing.key == first
    ledger.firings.fail(firing, "dispatch", 0.001, "why")
    before = ledger.now_ms()
    while ledger.now_ms() <= before + 1:
        pass
    assert claimed(ledger, 3) == [*others, first]


def a_firing_that_was_moved_is_taken_once(ledger: Ledger) -> None:
    """By a worker that knows no lines, for one: its lease has expired since."""
    first, second, third = granted(ledger, FLOOD, 3)
    assert claimed(ledger, 1) == [first]
    ledger.store.client.zadd(ledger.keys.due("dispatch"), {second: 1})
    taken = ledger.firings.claim("dispatch", 3, 10).firings
    assert {firing.key: len(firing.attempts) for firing in taken} == {second: 1, third: 1}


def what_was_skipped_is_not_taken_from_its_line(ledger: Ledger) -> None:
    first, *_ = granted(ledger, FLOOD, 3)
    assert claimed(ledger, 1) == [first]
    assert ledger.by_hand.skip_waiting(FLOOD.id, "why") == 2
    assert claimed(ledger, 3) == []


def a_firing_of_a_later_release_holds_up_none_behind_it(ledger: Ledger) -> None:
    first, second = granted(ledger, FLOOD, 2)
    (single,) = granted(ledger, SINGLE, 1)
    ledger.store.client.hset(ledger.keys.firing(first), "v", 1_000)
    assert sorted(claimed(ledger, 3)) == sorted([second, single])
    assert claimed(ledger, 3) == []
    ledger.store.client.hset(ledger.keys.firing(first), "v", 1)
    assert claimed(ledger, 3) == [first]


def many_that_left_their_line_hold_up_nobody(ledger: Ledger) -> None:
    before, behind, _ = in_ring(ledger)
    granted(ledger, before, MANY)
    (waits,) = granted(ledger, behind, 1)
    taken = claimed(ledger, 1)
    if taken != [waits]:
        assert ledger.by_hand.skip_waiting(before.id, "why") == MANY - 1
        ledger.store.client.delete(ledger.keys.served("dispatch"))  # as if all that left stood before it
        assert claimed(ledger, 1) == [waits]
    assert ledger.store.client.zcard(ledger.keys.lines("dispatch")) == 0, "nothing is left of those"


def lines_that_were_lost_are_made_anew(ledger: Ledger) -> None:
    first, *others = granted(ledger, FLOOD, 4)
    assert claimed(ledger, 1) == [first]
    ledger.store.client.delete(ledger.keys.lines("dispatch"))
    assert claimed(ledger, 10) == others


def a_long_backlog_takes_turns_from_the_first_on(ledger: Ledger) -> None:
    granted(ledger, FLOOD, MANY)
    (single,) = granted(ledger, SINGLE, 1)
    assert single in claimed(ledger, 2)


def a_long_backlog_at_a_receiver_takes_turns_from_the_first_on(ledger: Ledger) -> None:
    held_up(ledger, FLOOD, MANY)
    (single,) = held_up(ledger, SINGLE, 1)
    assert single in [firing.key for firing in ledger.turns.claim("r", 2, 10).firings]


def a_firing_whose_number_is_damaged_is_taken(ledger: Ledger) -> None:
    for number, damaged in enumerate(("nan", "-1", "1e300", "9" * 40, "x")):
        (key,) = granted(ledger, task_trigger(f"damaged {number}"), 1)
        ledger.store.client.hset(ledger.keys.firing(key), "sequence", damaged)
        assert [one.key for one in ledger.firings.claim("dispatch", 2, 10).unreadable] in ([key], [])
        assert ledger.due("dispatch") == 0, f"the number {damaged}"


def a_firing_whose_time_is_damaged_is_taken(ledger: Ledger) -> None:
    (key,) = granted(ledger, FLOOD, 1)
    ledger.store.client.zadd(ledger.keys.due("dispatch"), {key: 0.5})
    assert claimed(ledger, 1) == [key]
