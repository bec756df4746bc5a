"""The table of verbs, and the command line made of them: of all, or of the one that is run.

A verb is imported when it is needed: a command line of all forty takes longer to make than most verbs take to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated, Final

import typer

from triggers.base.terminal import say
from triggers.cli.examples import epilog
from triggers.cli.usage import Verbs

#: The verbs by what they are for, as `--help` shows them: the module of this folder, and the name in it where the verb
#: and the module are named differently.
PANELS: Final[dict[str, dict[str, str]]] = {
    "Run": {"demo": "demo", "sandbox": "sandbox", "up": "up", "console": "console"},
    "Ask": {
        "list": "list_", "show": "show", "status": "status", "history": "history", "explain": "explain",
        "next": "next_", "test": "test:try_out", "doctor": "doctor", "audit": "audit",
    },
    "Change": {
        "pause": "pause", "resume": "resume", "fire": "fire", "send": "send", "replay": "replay",
        "backfill": "backfill", "delete": "delete", "mute": "mute", "unmute": "unmute",
        "failing": "failing:app", "dead": "dead:app", "holds": "holds:app", "slots": "slots:app",
        "cursor": "cursor:app", "unsigned": "unsigned:app",
    },
    "Configure": {"apply": "apply", "diff": "diff", "export": "export"},
}  # fmt: skip

_PLACES: Final = {name: (panel, place) for panel, verbs in PANELS.items() for name, place in verbs.items()}


def app_of(arguments: Sequence[str]) -> typer.Typer:
    """Make what a command line needs: the verb that it begins with; all of them for help, completion, or a typo."""
    return build(arguments[:1] if arguments and arguments[0] in _PLACES else _PLACES)


def build(names: Iterable[str]) -> typer.Typer:
    """Make the command line of some verbs."""
    app = typer.Typer(
        name="clearml-triggers",
        cls=Verbs,
        help="Run ClearML triggers as a distributed system, and operate them.\n\n"
        "Exit codes: 0: success; 1: failed or negative result; 2: usage error.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in names:
        _add(app, name)
    return app


def _add(app: typer.Typer, name: str) -> None:
    panel, place = _PLACES[name]
    module, _, attribute = place.partition(":")
    verb = getattr(import_module(f"triggers.cli.{module}"), attribute or module)
    if not isinstance(verb, typer.Typer):
        app.command(name, rich_help_panel=panel, epilog=epilog(name))(verb)
        return
    for child in verb.registered_commands:
        child.epilog = epilog(f"{name} {child.name or getattr(child.callback, '__name__', '')}")
    app.add_typer(verb, name=name, rich_help_panel=panel)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(version("clearml-triggers"))
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="print the version and exit", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The options that every verb shares."""
