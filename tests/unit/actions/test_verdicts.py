"""What a receiver's answer means."""

from __future__ import annotations

import time

import pytest

from triggers.actions.sending.verdicts import LONGEST_PAUSE_SECONDS, ReceiverAnswer, Unsent, judge
from triggers.base.errors import LaunchImpossible

DATE = "Sat, 31 Jan 2026 12:00:00 GMT"
LATER = "Sat, 31 Jan 2026 12:00:30 GMT"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_done(status: int) -> None:
    judge("hooks", ReceiverAnswer(status), 0)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_be_over_later_is_tried_again(status: int) -> None:
    with pytest.raises(Unsent, match=f"hooks answered {status}"):
        judge("hooks", ReceiverAnswer(status), 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 422, 451])
def test_every_other_4xx_is_a_dead_letter(status: int) -> None:
    with pytest.raises(LaunchImpossible, match=f"hooks answered {status}"):
        judge("hooks", ReceiverAnswer(status), 0)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with pytest.raises(LaunchImpossible, match="redirects are not followed"):
        judge("hooks", ReceiverAnswer(status), 0)


@pytest.mark.parametrize(
    ("retry_after", "date", "now", "seconds"),
    [
        ("7", "", 0, 7),
        ("0", "", 0, 0),
        ("", "", 0, 0),
        ("soon", "", 0, 0),
        ("-5", "", 0, 0),
        ("99999999999999999999", "", 0, LONGEST_PAUSE_SECONDS),
        (LATER, DATE, 0, 30),
        (DATE, LATER, 0, 0),
        (LATER, "", 1769860800, 30),
        ("²", "", 0, 0),
    ],
)
def test_retry_after_is_obeyed_within_a_bound(retry_after: str, date: str, now: float, seconds: float) -> None:
    for status in (429, 503, 500, 408):
        with pytest.raises(Unsent) as caught:
            judge("hooks", ReceiverAnswer(status, retry_after, date), now)
        assert caught.value.after_seconds == seconds


@pytest.mark.parametrize(
    "later", ["Sat, 31 Jan 2026 12:00:30", "Sat, 31 Jan 2026 12:00:30 -0000", "Sat Jan 31 12:00:30 2026"]
)
@pytest.mark.parametrize("zone", ["Etc/GMT+11", "Etc/GMT-11"])
def test_a_time_without_a_zone_is_not_a_local_one(monkeypatch: pytest.MonkeyPatch, later: str, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        with pytest.raises(Unsent) as caught:
            judge("hooks", ReceiverAnswer(503, later, DATE), 0)
        assert caught.value.after_seconds == 30
    finally:
        monkeypatch.undo()
        time.tzset()
