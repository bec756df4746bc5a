"""Verbs without the parser say what they say with it: their flags are those that the verb declares."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
import typer

from triggers.cli import bare
from triggers.cli.verbs import app_of


@pytest.mark.parametrize("verb", bare.BARE)
def test_flags_and_parameters_are_those_of_the_verb(verb: str) -> None:
    module, flags = bare.BARE[verb]
    declared = {
        param.name: (param.opts, param.is_flag, param.default)
        for param in typer.main.get_command(app_of([verb])).commands[verb].params  # type: ignore[attr-defined]
        if hasattr(param, "is_flag")
    }
    for flag, name in flags.items():
        opts, is_flag, default = declared[name]
        assert flag in opts
        assert (is_flag, bool(default)) == (True, False)
    parameters = inspect.signature(import_module(f"triggers.cli.{module}").run).parameters
    assert set(flags.values()) <= parameters.keys() <= declared.keys()
    assert not any(one.default for one in parameters.values())


@pytest.mark.parametrize(
    ("arguments", "bare_"),
    [
        (["list"], True),
        (["list", "--json"], True),
        (["list", "--json", "--all"], True),
        (["list", "--json", "--json"], False),
        (["list", "--jso"], False),
        (["list", "--help"], False),
        (["list", "-s", "a/b"], False),
        (["list", "--limit=3"], False),
        (["list", "all"], False),
        (["--version"], False),
        (["lis"], False),
        ([], False),
    ],
)
def test_everything_else_is_left_to_the_parser(arguments: list[str], bare_: bool) -> None:
    assert (bare.call_of(arguments, {}) is not None) == bare_


def test_completion_is_left_to_the_parser() -> None:
    assert bare.call_of(["list"], {"_CLEARML_TRIGGERS_COMPLETE": "complete_bash"}) is None
