"""`clearml-triggers next`: the coming times of schedules."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, OptionalName


def next_(
    name: OptionalName = None,
    until: Annotated[str, typer.Option(metavar="TIME", help="end of the period to show: 2h, 7d, or a time")] = "7d",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="show at most N times")] = 20,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Show when schedules run next, in the time zone of each schedule and in yours.

    Paused schedules are left out. Exit code 1 if nothing is due until then.
    """
    from triggers.cli import output
    from triggers.operate import timetables
    from triggers.operate.target import open_target
    from triggers.operate.times import iso, local_with_zone, until_ms

    with open_target(scheduler) as target:
        now_ms = target.ledger.wall_ms()
        entries = timetables.schedules(target, name)
        last_ms = until_ms(until, now_ms, "--until")
        found = timetables.coming(entries, now_ms, last_ms, limit)
        if as_json:
            rows = [{"schedule": one.entry.trigger.name, "at": one.event.at, "due": iso(one.due_ms)} for one in found]
            output.print_json(rows)
        else:
            columns = [output.Column("schedule", style="cyan", folds=True, most=40)]
            columns += [output.Column("its time"), output.Column("local time")]
            shown = [
                [output.text(text) for text in (one.entry.trigger.name, one.event.at, local_with_zone(one.due_ms))]
                for one in found
            ]
            output.show_rows(columns, shown, timetables.why_none(entries, now_ms, local_with_zone(last_ms)))
            if len(found) == limit:
                output.note(f"these are the next {limit}: -n shows more, and a name only those of one schedule")
            if paused := timetables.paused(entries):
                output.note(paused)
    raise typer.Exit(0 if found else 1)
