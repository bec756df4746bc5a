"""Batches of firings grow by what the launches take, not by how far away Redis is."""

from __future__ import annotations

import pytest

from triggers.rules.batches import BATCH_SECONDS, LARGEST, TRIPS, next_size


def sizes(trip_seconds: float, launch_seconds: float, first: int = 10) -> list[int]:
    """Sizes of the batches that one thread takes, until they stay as they are."""
    found = [first]
    while len(found) < 10:
        took = TRIPS * trip_seconds + found[-1] * launch_seconds
        found.append(next_size(found[-1], took, trip_seconds))
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("trip_seconds", [0.0002, 0.005, 0.05, 0.5])
def test_batches_of_a_fast_server_grow_wherever_redis_is(trip_seconds: float) -> None:
    assert sizes(trip_seconds, 0.001) == [10, 40, LARGEST]


@pytest.mark.parametrize("trip_seconds", [0.0002, 0.05])
def test_batches_of_a_slow_server_stay_small_so_that_others_do_not_wait(trip_seconds: float) -> None:
    assert sizes(trip_seconds, 0.026) == [10]


@pytest.mark.parametrize("launch_seconds", [0.0001, 0.002, 0.005, 0.01, 0.03])
def test_no_batch_grows_beyond_the_time_that_its_launches_may_take(launch_seconds: float) -> None:
    *_, last = sizes(0.05, launch_seconds)
    assert last == 10 or last * launch_seconds < BATCH_SECONDS


def test_a_setting_beyond_the_largest_batch_stays() -> None:
    assert sizes(0.05, 0.0001, first=100) == [100]
