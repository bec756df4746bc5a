"""Which worker ticks by itself for a queue, as Redis keeps it; the stand-in of unit tests gives the same answers."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.unit.roles.ticking_world import Counted
from triggers.ledger.deployment.ticking import Ticking
from triggers.ledger.keys import shared


@pytest.fixture(params=["Redis", "stand-in"])
def ticking(request: pytest.FixtureRequest, redis_client: redis.Redis) -> Any:
    return Ticking(redis_client) if request.param == "Redis" else Counted()


def test_nobody_goes_on_before_beat_has_sent_a_tick(ticking: Any) -> None:
    assert not ticking.take("poll", "a")
    assert ticking.counts(["poll"]) == {"poll": None}


def test_who_takes_a_tick_goes_on_until_another_takes_one(ticking: Any) -> None:
    ticking.open("poll", 30)
    assert ticking.counts(["poll", "dispatch"]) == {"poll": None, "dispatch": None}
    assert not ticking.go_on("poll", "a"), "it took none"
    assert [ticking.take("poll", "a"), ticking.go_on("poll", "a")] == [True, True]
    ticking.open("poll", 30)
    assert ticking.go_on("poll", "a"), "also while the next message is on its way"
    assert ticking.take("poll", "b")
    assert not ticking.go_on("poll", "a")
    assert ticking.counts(["poll"]) == {"poll": 4}


def test_who_leaves_is_known_to_have_gone_and_others_stay(ticking: Any) -> None:
    ticking.open("poll", 30)
    ticking.take("poll", "a")
    ticking.leave("poll", "b")
    assert ticking.go_on("poll", "a")
    ticking.leave("poll", "a")
    assert ticking.counts(["poll"]) == {"poll": None}
    assert not ticking.go_on("poll", "a")


def test_queues_have_nothing_to_do_with_each_other(ticking: Any) -> None:
    ticking.open("poll", 30)
    assert not ticking.take("dispatch", "a")


def test_nobody_goes_on_for_long_after_the_last_beat(redis_client: redis.Redis) -> None:
    ticking = Ticking(redis_client)
    ticking.open("poll", 30)
    ticking.take("poll", "a")
    assert 30_000 < redis_client.pttl(shared("ticking:poll")) <= 40_000


def test_a_damaged_count_is_counted_anew_and_a_lost_owner_ends_the_stint(redis_client: redis.Redis) -> None:
    ticking, key = Ticking(redis_client), shared("ticking:poll")
    ticking.open("poll", 30)
    ticking.take("poll", "a")
    redis_client.hset(key, "count", "much")
    assert ticking.counts(["poll"]) == {"poll": 0}
    assert ticking.go_on("poll", "a")
    assert ticking.counts(["poll"]) == {"poll": 1}
    redis_client.hdel(key, "by")
    assert not ticking.go_on("poll", "a")
