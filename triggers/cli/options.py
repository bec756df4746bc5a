"""What several verbs have in common: options, and the scheduler they are about."""

from __future__ import annotations

from typing import Annotated

import typer

Choice = Annotated[
    str | None,
    typer.Option("--scheduler", "-s", metavar="PROJECT/NAME|ID", help="which scheduler, where several live"),
]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="name of a trigger, or kind:name")]
OptionalName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="name of a trigger, or kind:name")]
File = Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="triggers as YAML; - is standard input")]
