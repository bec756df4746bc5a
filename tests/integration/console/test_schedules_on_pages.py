"""Pages of a service with triggers and schedules: times are shown whole, and called times."""

from __future__ import annotations

import re
import time

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.stages.conftest import World
from triggers.console.serve import ConsoleServer
from triggers.stages import clock as stage


@pytest.fixture
def launched(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A schedule that has run beside a trigger that has fired, and one that fails: the time and the firing."""
    monkeypatch.setattr(stage, "AHEAD_MS", 0)
    triggers = [
        world.trigger("schedule", "minutely", cron="* * * * *"),
        world.trigger("schedule", "broken", cron="* * * * *", action={"queue": "nowhere"}),
        world.trigger(),
    ]
    since_ms = int(time.time() * 1000) - 86_400_000
    since = {one.id: since_ms for one in triggers if one.kind == "schedule"}
    world.declare(triggers[2])
    world.step()
    world.ledger.registry.declare(triggers, origin="script", server_now_ms=since_ms, since_ms=since)
    stage.clock(world.ctx)
    world.settle(world.context(max_attempts=1))
    world.fail_task()
    world.step()
    (entry,) = [one for one in world.history("launched") if one.trigger == "schedule:minutely"]
    return entry.object, entry.firing


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_pages_say_times(console: ConsoleServer, launched: tuple[str, str]) -> None:
    browser, (at, firing) = Browser(console).enter(), launched
    pages = {
        name: browser.get(f"{browser.home}/{name}").text
        for name in ("triggers/schedule:minutely", f"firings/{firing}", f"objects/{at}", "history",
                     "history?trigger=minutely", "waiting?tab=dead")
    }  # fmt: skip
    for name, page in pages.items():
        assert at in words(page), name
    of_schedule = words(pages["triggers/schedule:minutely"])
    assert "times count from" in of_schedule
    assert "fired for 1 time" in of_schedule
    assert "Object" not in of_schedule.partition("Condition")[2]
    assert "Object or time" in words(pages["history"])
    assert f"Time {at}" in words(pages[f"firings/{firing}"])
    of_time = words(pages[f"objects/{at}"])
    assert f"Time {at}" in of_time
    assert "Fire for this time" in of_time
    assert "this object" not in of_time


def test_what_is_for_objects_is_not_offered_for_a_schedule(console: ConsoleServer, launched: tuple[str, str]) -> None:
    browser = Browser(console).enter()
    assert "/test/" not in browser.get(f"{browser.home}/triggers/schedule:minutely").text
    assert "/test/" in browser.get(f"{browser.home}/triggers/task:on failure").text
    refused = browser.get(f"{browser.home}/test/schedule:minutely")
    assert (refused.status_code, "fires at times, not for objects" in refused.text) == (400, True)
