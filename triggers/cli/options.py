"""What several verbs have in common: options, and the scheduler they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from triggers.cli import completion
from triggers.cli.output import ROWS

Choice = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        "-s",
        metavar="PROJECT/NAME|ID",
        help="scheduler to use, if there are several",
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
#: How people may name an object: `operate.objects.full_id` reads it.
OBJECT_HELP = "its id or the beginning of one, the address of its page, or its name"
ObjectArgument = Annotated[
    str, typer.Argument(metavar="OBJECT", help=f"a model, dataset or ClearML task: {OBJECT_HELP}")
]
File = Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="file of triggers (YAML); - is standard input")]
OfTrigger = Annotated[
    str | None,
    typer.Option("--trigger", metavar="NAME", help="only those of this trigger", autocompletion=completion.triggers),
]
All = Annotated[bool, typer.Option("--all", help="all of them")]

Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=0, help=f"show at most N; 0 for all (default: {ROWS} on a terminal, else all)"
    ),
]


def firings(complete: Callable[..., Any], and_else: str = "") -> Any:
    """The argument that names firings; `complete` lists those that a verb can mean."""
    help_ = f"firings, by the end of their key as listed, or by the id of their object{and_else}"
    return typer.Argument(metavar="[FIRING|OBJECT]...", help=help_, autocompletion=complete)
