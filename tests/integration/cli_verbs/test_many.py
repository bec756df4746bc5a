"""Verbs about many triggers and firings: they show a part, say of how many, and how long a release takes."""

from __future__ import annotations

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
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


def test_a_long_release_is_worded_in_hours() -> None:
    assert releasing.in_words(0) == ""
    assert releasing.in_words(119).endswith("about 119 min")
    assert releasing.in_words(300).endswith("about 5 h")
