"""What several verbs have in common: options, and the scheduler they are about."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli import completion

Choice = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        "-s",
        metavar="PROJECT/NAME|ID",
        help="which scheduler, where several live",
        autocompletion=completion.schedulers,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
_NAME_HELP = "name of a trigger, or kind:name"
Name = Annotated[str, typer.Argument(metavar="NAME", help=_NAME_HELP, autocompletion=completion.triggers)]
OptionalName = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help=_NAME_HELP, autocompletion=completion.triggers)
]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="names of triggers", autocompletion=completion.triggers),
]
File = Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="triggers as YAML; - is standard input")]
