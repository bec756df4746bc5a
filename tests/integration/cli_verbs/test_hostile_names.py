"""No verb shows what a terminal would act on; the verbs and their ways to print are found, not listed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from tests.integration.cli_verbs.conftest import run
from tests.integration.stages.conftest import World
from tests.unit.output.test_escaping import HOSTILE, holds_unsafe
from triggers.cli.app import PANELS, app
from triggers.configuration.writing import dump

FAILED_NAME = f"task {HOSTILE}"


def verbs() -> Iterator[tuple[str, ...]]:
    """Every verb that ends by itself."""
    long_running = set(PANELS["Run"])

    def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, inner in getattr(command, "commands", {}).items():
            if not (path == () and name in long_running):
                yield from walk(inner, (*path, name))
        if not hasattr(command, "commands"):
            yield path

    return walk(typer.main.get_command(app), ())


def arguments(world: World, verb: tuple[str, ...], task: str, file: Path) -> list[str]:
    """What to give a verb: each argument that it needs, by its name."""
    command: click.Command = typer.main.get_command(app)
    for name in verb:
        command = command.commands[name]  # type: ignore[attr-defined]
    values = {
        "name": HOSTILE, "names": HOSTILE, "object_id": task, "file": str(file), "which": task,
        "hold": f"pace:task:{HOSTILE}",
        "slot": f"task:{HOSTILE}", "time": "1h", "to": "1h", "since": "1h", "start": "1h", "from_": "1h",
    }  # fmt: skip
    found = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            found.append(values.get(str(parameter.name), HOSTILE))
        elif parameter.required:
            found += [parameter.opts[0], values.get(str(parameter.name), "1h")]
    return found


@pytest.fixture
def task(world: World, tmp_path: Path) -> str:
    """A world in which everything that people can name is hostile: a failed launch of a trigger among it."""
    world.declare(
        world.trigger(name=HOSTILE, owner=HOSTILE, trigger_on_tags=[f"t{HOSTILE}"], action={"queue": "nowhere"}),
        world.trigger(name="-x", policy={"single_instance": True}),
    )
    world.ledger.history.raise_alarm(f"pace:task:{HOSTILE}", HOSTILE, 1)
    failed = world.fail_task(name=FAILED_NAME, tags=[f"t{HOSTILE}"])
    world.step(world.context(max_attempts=1))
    return failed


@pytest.mark.parametrize("verb", list(verbs()), ids=" ".join)
def test_no_verb_shows_what_a_terminal_would_act_on(
    world: World, task: str, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    file = tmp_path / "triggers.yaml"
    file.write_text(dump([world.trigger(name="-x", trigger_on_tags=[f"t{HOSTILE}"])]))
    given = arguments(world, verb, task, file)
    for options in ([], ["--json"], ["--scheduler", HOSTILE]):
        for width in (80, 200):
            said = run(*verb, *options, *given, width=width)
            assert not holds_unsafe(said.out.replace("clearml-triggers: ", ""), "\n"), (verb, options)
            assert "\nINFO" not in said.out, (verb, options)


def test_what_is_printed_as_json_is_what_it_is(world: World, task: str) -> None:
    listed = {one["name"] for one in run("list", "--json").json}
    assert listed == {HOSTILE, "-x"}
    assert json.loads(run("show", "--json", "--", HOSTILE).out)["name"] == HOSTILE
