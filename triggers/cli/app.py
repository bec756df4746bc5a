"""The verbs put together; each is a file (or a folder) of its own beside this one."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.demo import demo
from triggers.cli.explain import explain
from triggers.cli.history import history
from triggers.cli.list_ import list_
from triggers.cli.sandbox import sandbox
from triggers.cli.show import show

app = typer.Typer(
    name="clearml-triggers",
    help="ClearML triggers as a distributed system.\n\nExit codes: 0 ok, 1 not so, 2 usage.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(sandbox)
app.command("list")(list_)
app.command()(show)
app.command()(history)
app.command()(explain)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("clearml-triggers"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="print the version and end", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The options that every verb shares."""
