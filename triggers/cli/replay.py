"""`clearml-triggers replay`: consider the changes of a stretch of time again."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, OptionalName


def replay(
    name: OptionalName = None,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="time, such as 2h, 7d, or 2026-11-22T18:00")
    ] = ...,  # type: ignore[assignment]
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="likewise; now")] = "now",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would fire, and fire nothing")] = False,
    everything: Annotated[bool, typer.Option("--all", help="for every trigger")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Consider the objects that changed in a stretch of time as if they had changed now.

    For changes made before a trigger was registered or edited, or that were skipped. What has fired for an object
    does not fire again, except where its policy says so. Objects are judged as they are now: the server keeps no
    earlier states.
    """
    from triggers.base.errors import Usage
    from triggers.cli import output
    from triggers.cli.test import print_found
    from triggers.operate import changes, granting
    from triggers.operate.target import open_target
    from triggers.operate.times import time_ms

    with open_target(scheduler) as target:
        entries = changes.chosen(target, [name] if name else [], everything=everything)
        now_ms = target.server_now_ms()
        since_ms, until_ms = time_ms(start, now_ms, "--from"), time_ms(end, now_ms, "--to")
        if until_ms < since_ms:
            raise Usage(f"--to {end!r} is earlier than --from {start!r}")
        found, looked = granting.find(target, entries, since_ms, until_ms + 999)
        granted = [] if dry_run else granting.replay(target, found)
        if as_json:
            from triggers.cli.test import found_fields

            rows = [found_fields(target.scheduler, one) for one in found]
            output.print_json({"looked_at": looked, "found": rows, "dry_run": dry_run, "granted": granted})
            return
        print_found(target.scheduler, found, looked)
        if not dry_run:
            output.say(f"{output.plural(len(granted), 'firing')} granted")
