"""`clearml-triggers diff`: what applying a file would change."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, File, Json


def diff(
    file: File,
    prune: Annotated[bool, typer.Option("--prune", help="as with `apply --prune`")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Show what `apply` would change. Exit code 0 if nothing, 1 if something."""
    from triggers.cli import output
    from triggers.cli.apply import fields, print_changes
    from triggers.configuration import load
    from triggers.configuration.difference import compare
    from triggers.operate.target import open_target

    document = load(file)
    with open_target(scheduler) as target:
        changes = compare(document.triggers, target.ledger.registry.snapshot(), prune=prune)
    if as_json:
        output.print_json({"changes": [fields(change) for change in changes]})
    else:
        print_changes(changes)
    raise typer.Exit(1 if any(change.what in ("add", "edit", "remove") for change in changes) else 0)
