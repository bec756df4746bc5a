"""The count of the month's API calls in the saved state: what is written, and what another Redis makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from triggers.rules.api_budget import UNKNOWN_SECONDS, ApiUsage
from triggers.sync.counted_calls import AtLeast, CountedCalls, counted
from triggers.sync.saved_state import Saved

NOW = datetime(2026, 11, 15, tzinfo=UTC)
HOUR_MS = 3_600_000


def state(made: int, per_day: int = 0, month: str = "2026-11", saved_ms: int = 0) -> str:
    return Saved(saved_ms, 1, calls=CountedCalls(month, made, per_day).to_fields()).to_json()


def test_what_is_saved_is_what_redis_had_counted() -> None:
    usage = ApiUsage(NOW, {("poll", "e"): 90, ("launch", "e"): 10}, recent=50, recent_seconds=43_200.0)
    assert CountedCalls.of(usage) == CountedCalls("2026-11", 100, 100)
    assert counted([Saved(0, 1, calls=CountedCalls.of(usage).to_fields()).to_json()], 0) == {
        "2026-11": AtLeast(100, 100)
    }


def test_what_was_made_since_it_was_saved_is_taken_to_have_been_as_much_as_before() -> None:
    assert counted([state(100, 240)], HOUR_MS)["2026-11"] == AtLeast(100, 110)
    assert counted([state(100, 240)], -HOUR_MS)["2026-11"] == AtLeast(100, 100), "the server's clock was set back"
    later = counted([state(100, 240)], 50 * HOUR_MS)["2026-11"].by_now
    assert later == 100 + 240 * UNKNOWN_SECONDS / 86_400, "nobody served any more"


def test_of_several_the_largest_counts() -> None:
    texts = [state(100), state(150, saved_ms=1), state(120, month="2026-10"), None, ""]
    assert counted(texts, 0) == {"2026-11": AtLeast(150, 150), "2026-10": AtLeast(120, 120)}
    assert counted([*texts, *texts], 0) == counted(texts, 0)


@pytest.mark.parametrize(
    "calls",
    [
        {},
        [],
        "many",
        {"month": "2026-11"},
        {"month": "November", "made": 1, "per_day": 1},
        {"month": "2026-11", "made": -1, "per_day": 1},
        {"month": "2026-11", "made": True, "per_day": 1},
        {"month": "2026-11", "made": 10**13, "per_day": 1},
        {"month": "2026-11", "made": 1, "per_day": "1"},
    ],
)
def test_what_is_no_count_says_nothing(calls: Any) -> None:
    assert counted([Saved(0, 1, calls=calls).to_json(), "{", Saved(0, 1).to_json()], 0) == {}
