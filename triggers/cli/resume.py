"""`clearml-triggers resume`: launch again."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, Names


def resume(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="every trigger of the scheduler")] = False,
    skip_missed: Annotated[
        bool,
        typer.Option("--skip-missed/--catch-up", help="skip the held firings, or launch them now (default)"),
    ] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Resume paused triggers.

    --skip-missed skips the firings that wait and the changes made until now; later changes of an object count
    again.
    """
    from triggers.cli import output
    from triggers.operate import changes, releasing
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        entries = changes.chosen(target, names or [], everything=everything)
        resumed = changes.resume(target, [entry for entry in entries if entry.paused], skip_missed=skip_missed)
        if as_json:
            output.print_json(
                {
                    "resumed": resumed.names,
                    "released": resumed.go,
                    "skipped": resumed.skipped,
                    "minutes": resumed.minutes,
                }
            )
        elif not resumed.names:
            output.say("none of them is paused; nothing to do")
        else:
            waited = (
                f"{output.plural(resumed.skipped, 'firing')} skipped"
                if skip_missed
                else f"released {output.plural(resumed.go, 'held firing')}"
            )
            lasts = releasing.in_words(resumed.minutes)
            output.say(f"resumed: {output.named(resumed.names)}; {waited}" + (f"; {lasts}" if lasts else ""))
