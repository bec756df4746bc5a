"""Times and links as people read them."""

from __future__ import annotations

import pytest

from triggers.base.errors import Usage
from triggers.clearml_api.links import derived
from triggers.operate.times import ago, iso, local_with_zone, span, span_ms, time_ms, until_ms

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90_000),
        ("15m", 900_000),
        ("15min", 900_000),
        ("1.5h", 5_400_000),
        ("7d", 604_800_000),
        ("1h30m", 5_400_000),
        ("1d 2h", 93_600_000),
    ],
)
def test_lengths_of_time(text: str, ms: int) -> None:
    assert span_ms(text, "--since") == ms
    assert time_ms(text, NOW, "--since") == NOW - ms


def test_moments() -> None:
    assert time_ms("now", NOW, "--to") == NOW
    assert iso(time_ms("2026-11-22T18:00:00Z", NOW, "--to")) == "2026-11-22T18:00:00.000+00:00"


@pytest.mark.parametrize("text", ["", "soon", "7", "-2h", "2 fortnights", "1h30", "h30m"])
def test_what_is_no_time_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(Usage, match=r"--since .*give how long ago"):
        time_ms(text, NOW, "--since")


def test_words_for_lengths() -> None:
    assert [span(ms) for ms in (5, 1500, 61_000, 7_200_000, 400_000_000)] == ["5 ms", "2 s", "1 min", "2 h", "5 d"]
    assert (ago(0, NOW), ago(NOW - 5000, NOW), ago(NOW + 10, NOW)) == ("never", "5 s ago", "now")


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.clear.ml", "https://app.clear.ml"),
        ("http://server:8008", "http://server:8080"),
        ("https://clearml.example/api-path", "https://clearml.example/api-path"),
        ("https://api.clearml.example:443", "https://app.clearml.example:443"),
    ],
)
def test_web_pages_by_the_address_of_the_api(api: str, web: str) -> None:
    assert derived(api) == web


@pytest.mark.parametrize("text", ["0001-01-01", "9" * 400 + "d"])
def test_a_moment_that_no_calendar_has_is_refused_in_words(text: str) -> None:
    for read in (time_ms, until_ms):
        with pytest.raises(Usage, match=f"--until '{text}': give how long"):
            read(text, NOW, "--until")


@pytest.mark.parametrize("text", ["99999d", "9000000d", "99999999999d", "1950-01-01", "9999-12-31T23:59:59-12:00"])
def test_a_moment_that_is_far_away_can_be_counted_with_and_shown(text: str) -> None:
    """`--since 9000000d` means everything; a stream of Redis has no moment before 1970."""
    for ms in (time_ms(text, NOW, "--from"), NOW if text.startswith("1950") else until_ms(text, NOW, "--until")):
        assert ms > 0
        assert iso(ms)
        assert local_with_zone(ms)
