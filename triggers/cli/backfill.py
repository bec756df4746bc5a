"""`clearml-triggers backfill`: run the past times of a schedule that did not run."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, Name


def backfill(
    name: Name,
    from_: Annotated[
        str, typer.Option("--from", metavar="TIME", help="start of the period: how long ago, such as 7d, or a time")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="TIME", help="end of the period: now, how long ago, such as 2h, or a time")
    ] = "now",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would run, run nothing")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Run the nominal times of a schedule between two moments, except those that have run.

    Each is launched exactly once, as at its time; pause, pace and single_instance still hold. A time that was skipped
    runs.
    """
    from triggers.cli import output
    from triggers.operate import granting, past_times
    from triggers.operate.target import open_target
    from triggers.operate.times import time_ms

    with open_target(scheduler) as target:
        now_ms = target.ledger.wall_ms()
        entry = target.entry(name)
        found = past_times.find(target, entry, time_ms(from_, now_ms, "--from"), time_ms(to, now_ms, "--to"))
        keys = [] if dry_run else granting.replay(target, found)
        if as_json:
            rows = [{"at": one.event.at, "runs": one.fires, "why_not": one.why_not} for one in found]
            output.print_json({"schedule": entry.trigger.name, "times": rows, "firings": keys})
            return
        runs = "would run" if dry_run else "runs"
        for one in found:
            output.say(f"{one.event.at}  {runs if one.fires else one.why_not}")
        count = sum(one.fires for one in found)
        said = f"{count} would run" if dry_run else f"{len(keys)} run" if len(keys) != 1 else "1 runs"
        output.say(f"{entry.trigger.name}: {output.plural(len(found), 'time')}, {said}")
        for note in past_times.notes(entry.trigger, count, paused=entry.paused):
            output.note(note)
