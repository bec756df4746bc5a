"""Of several beats one ticks, and a dead one is known by its count standing still, whatever wall clocks say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis

from triggers.base.settings import settings as cached


@pytest.fixture
def beat(redis_client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], object]]:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    cached.cache_clear()
    from triggers.ledger.deployment.shared import Leadership

    yield lambda: Leadership(redis_client)
    cached.cache_clear()


def test_one_ticks_and_the_next_takes_over_within_five_seconds_of_its_own_clock(beat: Callable[[], object]) -> None:
    first, second = beat(), beat()
    for second_of_life in range(3):
        assert first.take(100.0 + second_of_life)  # type: ignore[attr-defined]
        assert not second.take(900.0 + second_of_life)  # type: ignore[attr-defined]
    assert not second.take(905.9)  # type: ignore[attr-defined]
    assert second.take(906.0)  # type: ignore[attr-defined]
    assert not first.take(110.0), "it learns of it"  # type: ignore[attr-defined]


def test_one_that_ends_lets_the_next_tick_at_once(beat: Callable[[], object]) -> None:
    first, second = beat(), beat()
    assert first.take(1.0)  # type: ignore[attr-defined]
    second.give_up()  # type: ignore[attr-defined]
    assert not second.take(1.0), "only its own is given up"  # type: ignore[attr-defined]
    first.give_up()  # type: ignore[attr-defined]
    assert second.take(1.0)  # type: ignore[attr-defined]
