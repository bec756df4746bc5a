"""Usage errors quote arguments, which may hold anything: they are printed the way that all other lines are."""

from __future__ import annotations

import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

from triggers.base.entry_point import NOT_SO
from triggers.base.terminal import say

#: typer carries click's errors with it, under names that change: what a bad value raises leads to their root.
_UsageError: Final[type[Any]] = typer.BadParameter.__mro__[1]
_ClickException: Final[type[Any]] = _UsageError.__mro__[1]


class Verbs(TyperGroup):
    """The root of the command line. It prints the parser's errors itself: typer would print arguments as they are."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Parse, run the verb and, unless `standalone_mode` is off, end the process with its exit code."""
        if not options.get("standalone_mode", True):
            return super().main(*args, **options)
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except _ClickException as error:
            _print(error)
            sys.exit(error.exit_code)
        except typer.Abort:
            say("Aborted.", error=True)
            sys.exit(NOT_SO)
        sys.exit(code if isinstance(code, int) else 0)


def _print(error: Any) -> None:
    """Print the usage of the verb, where its help is, and what is wrong."""
    if type(error).__name__ == "NoArgsIsHelpError":
        if message := error.format_message():  # without rich; with it, typer has printed the help already
            say(*message.splitlines(), error=True)
        return
    context = getattr(error, "ctx", None)
    if context is not None:
        say(*context.get_usage().splitlines(), error=True)
        say(f"Try '{context.command_path} {context.help_option_names[0]}' for help.", error=True)
    say(f"Error: {error.format_message()}", error=True)
