"""What the parser says of arguments is as harmless as all other output, for every verb and every option."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from tests.unit.output.test_escaping import HOSTILE, holds_unsafe
from triggers.cli.app import app


def commands() -> Iterator[tuple[list[str], Any]]:
    """Every group and every verb, with the words that lead to it."""
    waiting: list[tuple[list[str], Any]] = [([], typer.main.get_command(app))]
    while waiting:
        path, command = waiting.pop()
        yield path, command
        waiting += [([*path, name], one) for name, one in getattr(command, "commands", {}).items()]


def options() -> Iterator[tuple[list[str], str]]:
    """Every option that does not take any text: a number, a flag."""
    for path, command in commands():
        for one in command.params:
            takes_number = re.search("'(int|float)'", str(getattr(one, "type_descriptor", "")))
            if one.param_type_name == "option" and (takes_number or one.is_flag):
                yield path, f"{one.opts[0]}={HOSTILE}"


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "500"})
    assert result.exit_code == 2, result.output
    assert not holds_unsafe(result.output, "\n"), arguments
    assert "\nINFO" not in result.output
    assert result.stdout == ""
    return result.output


GROUPS = [path for path, command in commands() if hasattr(command, "commands")]
ALL = [path for path, _ in commands()]


def test_there_are_verbs_in_groups_and_options_of_every_type():
    assert [] in GROUPS
    assert len(GROUPS) > 4
    assert len(ALL) > 25
    assert len(list(options())) > 20


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_an_unknown_option_is_shown_harmlessly(path: list[str]):
    said = refused(*path, f"--{HOSTILE}")
    assert "No such option: --" in said
    assert f"Usage: clearml-triggers{''.join(f' {word}' for word in path)} [OPTIONS]" in said


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_an_unknown_verb_is_shown_harmlessly(path: list[str]):
    assert "No such command" in refused(*path, HOSTILE)


@pytest.mark.parametrize(("path", "option"), options(), ids=lambda one: " ".join(one) if isinstance(one, list) else "")
def test_a_bad_value_is_shown_harmlessly(path: list[str], option: str):
    assert "Error: " in refused(*path, option)


@pytest.mark.parametrize("path", [["list"], ["show"], ["history"], ["doctor"]], ids=" ".join)
def test_arguments_too_many_are_shown_harmlessly(path: list[str]):
    assert "unexpected extra argument" in refused(*path, *[HOSTILE] * 3)


def test_a_message_of_a_verb_itself_is_shown_harmlessly(monkeypatch: pytest.MonkeyPatch):
    other = typer.Typer(cls=type(typer.main.get_command(app)))

    @other.command()
    def verb() -> None:
        raise typer.BadParameter(HOSTILE)

    @other.command()
    def also() -> None:
        raise typer.Abort

    result = CliRunner().invoke(other, ["verb"])
    assert result.exit_code == 2
    assert not holds_unsafe(result.output, "\n")
    assert CliRunner().invoke(other, ["also"]).exit_code == 1


def test_help_and_verbs_end_as_before():
    assert CliRunner().invoke(app, ["--version"]).exit_code == 0
    assert CliRunner().invoke(app, ["dead"]).exit_code == 2
    assert "List, retry, or drop" in CliRunner().invoke(app, ["dead"]).output
    assert CliRunner().invoke(app, ["list", "-h"]).exit_code == 0
