"""`clearml-triggers pause`: stop launching."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, Names


def pause(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="every trigger of the scheduler")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Stop launching: firings wait from now on, in order, until `resume`. Nothing is lost meanwhile.

    What is being launched at this moment is carried through. A pause survives restarts and registering again.
    """
    from triggers.cli import output
    from triggers.operate import changes
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        entries = changes.chosen(target, names or [], everything=everything)
        changed = changes.pause(target, entries)
        if as_json:
            output.print_json({"paused": changed, "already": len(entries) - len(changed)})
        else:
            output.say(f"paused: {', '.join(changed)}" if changed else "already paused: nothing to do")
