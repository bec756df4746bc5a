"""Verbs about many triggers and firings: they show a part, say of how many, and how long a release takes."""

from __future__ import annotations

import warnings
from pathlib import Path

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from triggers.client.checks import MissingOnServer, warn_of_missing
from triggers.configuration.writing import dump
from triggers.operate import releasing


def test_list_shows_a_part_and_says_of_how_many(world: World) -> None:
    world.declare(*(world.trigger(name=f"t{n}") for n in range(7)))
    shown = run("list", "--limit", "3").out
    assert shown.count("task: status failed") == 3
    assert "7 triggers (3 shown, --limit 0 shows all)" in shown
    assert "shown" not in run("list", "--limit", "0").out
    assert len(run("list", "--json").json) == 7
    assert [one["name"] for one in run("list", "--limit", "2", "--json").json] == ["t0", "t1"]


def test_holds_and_resume_say_how_long_the_release_takes(world: World) -> None:
    world.declare(
        world.trigger(name="slow", policy={"max_per_minute": 2}),
        world.trigger(name="free", policy={"max_per_minute": 0}),
    )
    run("pause", "--all")
    for _ in range(5):
        world.fail_task()
    world.step()
    holds = {one["hold"]: one for one in run("holds", "list", "--json").json}
    assert {name: (one["count"], one["minutes"]) for name, one in holds.items()} == {
        "pause:task:slow": (5, 2),
        "pause:task:free": (5, 0),
    }
    assert "lets the last one launch after about 2 min" in " ".join(run("holds", "list", width=200).out.split())
    assert "1 of 2 holds shown" in run("holds", "list", "--limit", "1").out
    assert "2 of 5 firings shown" in run("holds", "list", "pause:task:slow", "--limit", "2").out
    resumed = run("resume", "--all").out
    assert "released 10 held firings" in resumed
    assert "after about 2 min" in " ".join(resumed.split())


def test_verbs_about_thousands_name_some_and_say_how_many_more(world: World, tmp_path: Path) -> None:
    many = [
        world.trigger(name=f"t{n:02}", trigger_project="Not There", trigger_on_status=["failed"]) for n in range(53)
    ]
    world.declare(*many)
    for verb in ("pause", "mute", "unmute", "resume"):
        said = " ".join(run(verb, "--all").out.split())
        assert "t49, and 3 more" in said
        assert "t50" not in said
    found = run("doctor", width=200).out
    assert (found.count("trigger_project='Not There'"), found.count("3 more")) == (50, 1)
    assert len([one for one in run("doctor", "--json").json if one["about"] == "names"]) == 53
    file = tmp_path / "triggers.yaml"
    file.write_text(dump([one.model_copy(update={"name": f"new {one.name}"}) for one in many]))
    applied = " ".join(run("apply", "-f", str(file)).out.split())
    assert (applied.count("'Not There' is not on the server"), applied.count("3 more such lines")) == (50, 1)
    assert len(run("apply", "-f", str(file), "--dry-run", "--json").json["changes"]) == 106


def test_a_registration_of_thousands_warns_of_some_and_says_how_many_more(world: World) -> None:
    many = [world.trigger(name=f"t{n}", trigger_project="Not There", trigger_on_status=["failed"]) for n in range(53)]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        warn_of_missing(world.api, many)
    assert [one.category for one in warned] == [MissingOnServer] * 51
    assert str(warned[-1].message) == "3 more warnings like the last"


def test_a_long_release_is_worded_in_hours() -> None:
    assert releasing.in_words(0) == ""
    assert releasing.in_words(119).endswith("about 119 min")
    assert releasing.in_words(300).endswith("about 5 h")
