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
    """Pause triggers: their firings wait, in order, until `resume`. Nothing is lost.

    A launch that is under way completes. A pause survives restarts and registration.
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
            output.say(f"paused: {output.named(changed)}" if changed else "already paused; nothing to do")
