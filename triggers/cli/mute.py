"""`clearml-triggers mute`: notify nobody of a trigger for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, Names


def mute(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="every trigger of the scheduler")] = False,
    length: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="for how long: 90m, 2h, or 1h30m; if omitted, until `unmute`"),
    ] = None,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Notify nobody of a trigger: it fires and is recorded as before.

    When the mute ends, dead letters made meanwhile are reported in one notice, and so is what still lasts.
    """
    from triggers.cli import output
    from triggers.operate import changes, muting
    from triggers.operate.target import open_target
    from triggers.operate.times import iso, local

    with open_target(scheduler) as target:
        entries = changes.chosen(target, names or [], everything=everything)
        until_ms = muting.mute(target, entries, length)
        muted = sorted(entry.trigger.name for entry in entries)
        if as_json:
            output.print_json({"muted": muted, "until": iso(until_ms)})
        elif muted:
            output.say(f"muted until {local(until_ms) or '`unmute`'}: {output.named(muted)}")
        else:
            output.say("no triggers are registered: nothing to do")
