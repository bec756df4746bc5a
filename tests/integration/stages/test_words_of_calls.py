"""What people read about the month's API calls: without a limit, with an ample and a tight one, and with none left."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.integration.stages.conftest import World
from triggers.ledger.api_budget import api_account
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.keys import shared
from triggers.operate.doctor.api_calls import look
from triggers.operate.status import read_status
from triggers.operate.target import Target
from triggers.stages.notify import _budget
from triggers.stages.poll import poll

#: Of 5,000 calls.
COUNTS = {
    ("poll", "tasks.get_all_ex", "ok"): 4_000,
    ("launch", "tasks.clone", "ok"): 700,
    ("launch", "tasks.enqueue_many", "ok"): 300,
}
PARTS = "(poll 4,000, launch 1,000; tasks.get_all_ex 4,000, tasks.clone 700, tasks.enqueue_many 300)"


@pytest.mark.parametrize(
    ("limit", "level", "words", "stretched", "reported"),
    [
        (None, "ok", "5,000 calls in 2026-11, ", "", []),
        (10**9, "ok", "5,000 of 1,000,000,000 calls in 2026-11, ", "", []),
        (
            20_000,
            "warn",
            "5,000 of 20,000 calls in 2026-11, ",
            "; now 1 h or more",
            ["the projection for this month is"],
        ),
        (
            5_020,
            "bad",
            "polls wait, and the last 50 calls are for launches",
            "; now ",
            ["polls wait until 2026-12-01", ""],
        ),
        (5_000, "bad", "none left", "; now ", ["polls and launches wait until 2026-12-01", ""]),
    ],
)
def test_the_words_about_the_calls(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    limit: int | None,
    level: str,
    words: str,
    stretched: str,
    reported: list[str],
) -> None:
    monkeypatch.setattr(api_account, "_now", lambda _: datetime(2026, 11, 15, tzinfo=UTC))
    for key in world.ledger.store.client.scan_iter(shared("api_*")):
        world.ledger.store.client.delete(key)
    world.declare(world.trigger())
    world.ledger.calls.settle(COUNTS, limit)
    ctx = world.context(api_calls_per_month=limit)
    assert poll(ctx, pace_seconds=5.0, quiet_seconds=30.0) is not None
    target = Target(
        Scheduler("http://h", "w", "P", "n", 5.0, quiet_seconds=30.0), world.ledger, ctx.settings, True, "x"
    )
    (finding,) = look(target)
    assert finding.level == level
    assert words in finding.words
    assert PARTS in finding.words
    status = read_status(target)
    assert status.stages[0].words.startswith(f"every 5 s, up to 30 s while nothing changes{stretched}")
    assert bool(stretched) == ("for the month's API calls to suffice" in status.stages[0].words)
    notices = [notice.text for notice in _budget(ctx, "").values()]
    assert len(notices) == len(reported)
    assert all(part in text for part, text in zip(reported, notices, strict=True))
