"""Schedules in every verb: their times are shown whole; what is for objects refuses them and names the verb to use."""

from __future__ import annotations

import re
import time

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.rules.schedules.zones import utc_text
from triggers.stages import clock as stage

DAY_MS = 86_400_000


@pytest.fixture
def served(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Schedules that began a day ago and are looked at now: each runs the last of its times, and one fails to."""
    monkeypatch.setattr(stage, "AHEAD_MS", 0)
    triggers = [
        world.trigger("schedule", "minutely", cron="* * * * *"),
        world.trigger("schedule", "hourly", cron="0 * * * *"),
        world.trigger("schedule", "broken", cron="* * * * *", action={"queue": "nowhere"}),
        world.trigger("schedule", "over", at="2020-01-01T00:00"),
        world.trigger("schedule", "once", recurring=False, day=300),
        world.trigger(),
    ]
    since_ms = int(time.time() * 1000) - DAY_MS
    since = {one.id: since_ms for one in triggers}
    world.ledger.registry.declare(triggers, origin="script", server_now_ms=since_ms, since_ms=since)
    stage.clock(world.ctx)
    world.settle()
    return world


def last_of(world: World, name: str) -> str:
    """The time that a schedule ran last."""
    return next(one.object for one in reversed(world.history("launched")) if one.trigger == f"schedule:{name}")


def test_tables_show_times_whole(served: World) -> None:
    at = last_of(served, "minutely")
    for verb in (("history",), ("history", "minutely"), ("show", "minutely"), ("status",)):
        assert at in run(*verb).out, verb
    assert "object" not in run("history", "minutely").out
    failing = run("failing", "list").out
    assert re.search(r"broken +\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", failing)


@pytest.mark.parametrize("verb", [("replay", "minutely", "--from", "1h"), ("test", "minutely")])
def test_what_is_for_objects_refuses_a_schedule(served: World, verb: tuple[str, ...]) -> None:
    result = run(*verb)
    assert (result.code, "schedule 'minutely' fires at times, not for objects: `next` shows" in result.out) == (2, True)


def test_a_time_of_another_schedule_is_none_of_its_own(served: World) -> None:
    """An hour's time is known from the one; the other missed it."""
    at = last_of(served, "hourly")
    if at == last_of(served, "minutely"):  # it is the full hour
        return
    out = run("explain", "minutely", at, width=300).out
    assert "hourly" not in out
    assert f"clearml-triggers backfill minutely --from {at} --to {at}` runs it" in out
    backfilled = run("backfill", "minutely", "--from", at, "--to", at, "--dry-run").out
    assert "minutely: 1 time, 1 would run" in backfilled


def test_a_run_that_is_no_longer_kept_is_not_explained_as_missed(served: World) -> None:
    client, keys, at = served.ledger.store.client, served.ledger.keys, last_of(served, "minutely")
    for key in client.scan_iter(keys.firing("*")):
        client.delete(key)
    assert "fired: it fired; its firing is no longer kept" in run("explain", "minutely", at).out
    client.delete(keys.marks("schedule:minutely"))
    assert "fired: it fired; its firing is no longer kept" in run("explain", "minutely", at).out


def test_the_runs_with_names_are_explained(served: World) -> None:
    assert "will fire: its time has not come" in run("explain", "once", "once").out
    assert "no such time: the schedule has no run of that name" in run("explain", "minutely", "immediately").out
    assert "no such time: soon is not a time of a schedule" in run("explain", "minutely", "soon").out


def test_next_says_why_there_is_none(served: World) -> None:
    for name, words in (
        ("over", "over has no further times"), ("once", "once has no time until "),
        ("on failure", "'on failure' is a task trigger: only schedules have times"),
    ):  # fmt: skip
        assert words in run("next", name, width=200).out
    for until in ("2020-01-01", "yesterday"):
        assert "give how long from now (2h, 7d)" in run("next", "--until", until, width=200).out
    assert "these are the next 2: -n shows more" in run("next", "-n", "2").out
    run("pause", "minutely")
    assert "minutely is paused; `clearml-triggers resume minutely` lets it run again" in run("next", "minutely").out


def test_fire_speaks_of_times_and_schedules(served: World) -> None:
    run("pause", "minutely")
    at = utc_text(1_700_000_000_000)
    out = run("fire", "minutely", at, width=200).out
    assert f"fired: minutely for time {at}" in out
    assert "the schedule is paused" in out
    assert "schedule 'minutely': 'soon' is not a time: give one as" in run("fire", "minutely", "soon", width=200).out
