"""`clearml-triggers export`: the registered triggers as a file."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json


def export(
    schema: Annotated[
        bool, typer.Option("--schema", help="print the JSON schema of files of triggers, for editors")
    ] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Print the registered triggers as YAML, with the arguments of the Python API; `apply` reads it back."""
    from triggers.cli import output

    if schema:
        from triggers.configuration.schema import schema as made

        output.print_json(made())
        return
    from triggers.cli.streams import shows_unicode
    from triggers.configuration import arguments_of, dump
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        triggers = [entry.trigger for entry in target.ledger.registry.snapshot().active]
    triggers.sort(key=lambda trigger: (trigger.kind, trigger.name))
    if as_json:
        output.print_json({"triggers": [arguments_of(trigger) for trigger in triggers]})
    else:
        output.say_page(dump(triggers, ascii_only=not shows_unicode()), end="")
