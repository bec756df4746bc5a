"""`clearml-triggers unmute`: notify people again."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, Names


def unmute(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="every trigger of the scheduler")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Notify people of a trigger again after `mute`."""
    from triggers.cli import output
    from triggers.operate import changes, muting
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        entries = changes.chosen(target, names or [], everything=everything)
        unmuted = muting.unmute(target, entries)
        if as_json:
            output.print_json({"unmuted": unmuted})
        else:
            output.say(f"unmuted: {output.named(unmuted)}" if unmuted else "none of them is muted: nothing to do")
