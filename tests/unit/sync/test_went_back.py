"""What the leases on a service task tell about data that was put back, and about leases of before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triggers.sync import takeover
from triggers.sync.redis_lease import RedisLease, leases_in, went_back

MINE = RedisLease("data", "redis://here", "process 1", 0, 60_000, "run.nonce", 3, fence=40)


@pytest.mark.parametrize(
    ("other", "fence"),
    [
        ({"fence": 50}, 50),
        ({"fence": 40}, 0),
        ({"fence": 30}, 0),
        ({"fence": 50, "run": "run.other"}, 0),
        ({"fence": 50, "run": "other.nonce"}, 0),
        ({"fence": 50, "instance": "other"}, 0),
        ({"fence": 50, "address": "redis://there", "holder": "process 2", "until_ms": 1}, 50),
    ],
    ids=str,
)
def test_data_went_back_if_its_own_run_has_renewed_further_on(other: dict[str, object], fence: int) -> None:
    assert went_back([replace(MINE, **other)], MINE) == fence  # type: ignore[arg-type]


def test_a_lease_of_a_release_without_the_counter_tells_nothing() -> None:
    text = MINE.to_json().replace('"fence": 40, ', "")
    (read,) = leases_in([{MINE.property: text}])
    assert read == replace(MINE, fence=0)
    assert went_back([read], MINE) == 0


@pytest.mark.parametrize("fence", ["a", None, 1.5, True])
def test_a_lease_without_a_counter_is_left_out(fence: object) -> None:
    assert leases_in([{MINE.property: replace(MINE, fence=fence).to_json()}]) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "is_past"),
    [
        ({"epoch": 2}, True),  # of an earlier epoch of this data
        ({"epoch": 2, "address": "redis://there"}, True),
        ({"epoch": 4, "address": "redis://there"}, False),  # a copy that has gone further
        ({"epoch": 4}, True),  # at this address: of a run whose end Redis forgot
        ({"epoch": 3, "run": "aaa.nonce", "address": "redis://there"}, True),  # of two in one epoch the higher run
        ({"epoch": 3, "run": "zzz.nonce", "address": "redis://there"}, False),
        ({"instance": "other"}, False),  # other data at this address: emptied, so wait for the lease
        ({"instance": "other", "epoch": 1, "address": "redis://there"}, False),
    ],
    ids=str,
)
def test_which_leases_are_of_before(other: dict[str, object], is_past: bool) -> None:
    assert takeover._is_past(replace(MINE, **other), MINE) is is_past  # type: ignore[arg-type]
