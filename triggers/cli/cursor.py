"""`clearml-triggers cursor`: how far the server was read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli.options import Choice, Json

if TYPE_CHECKING:
    from triggers.operate.target import Target

app = typer.Typer(no_args_is_help=True, help="Show or set how far the changes of the ClearML server have been read.")

#: Tries at a cursor that a poll is moving, and seconds between them.
_TRIES, _PAUSE_SECONDS = 40, 0.1


@app.command()
def show(scheduler: Choice = None, as_json: Json = False) -> None:
    """Show how far each source was read, and when it was last read again for late changes."""
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate.target import open_target
    from triggers.operate.times import ago, local

    with open_target(scheduler) as target:
        found, now_ms = _cursors(target), target.ledger.now_ms()
    if as_json:
        output.print_json(found)
        return
    rows = [
        [
            text(one["source"], "cyan"),
            text(f"{local(one['read_to_ms'])}, {ago(one['read_to_ms'], now_ms)}"),
            text(ago(one["overlapped_ms"], now_ms)),
            text(ago(one["swept_ms"], now_ms)),
        ]
        for one in found
    ]
    columns = [Column("source"), Column("read up to"), Column("overlap read"), Column("swept")]
    output.show_rows(columns, rows, "nothing read yet")


def _cursors(target: Target) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from triggers.operate.times import iso
    from triggers.sources import SOURCES

    found = []
    for source in SOURCES:
        cursor = target.ledger.reading.cursor(source.name)
        if cursor.plan:
            found.append({"source": source.name, "read_to": iso(cursor.read_to_ms), **asdict(cursor)})
    return found


@app.command("set")
def set_(
    to: Annotated[
        str, typer.Argument(metavar="TIME", help="how long ago, such as 2h or 7d, or a time, such as 2026-11-22T18:00")
    ],
    source: Annotated[str | None, typer.Option(help="source, as listed by `cursor show`; default: all")] = None,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Set the time from which the next poll reads.

    Backwards: what changed since then is read and matched again; what has fired does not fire again, and changes
    made before a trigger was registered still do not count (`replay` makes them). Never forwards: that would lose
    changes (`pause` and `resume --skip-missed` leave them out on purpose).
    """
    from triggers.base.errors import Usage
    from triggers.base.meant import meant
    from triggers.cli import output
    from triggers.operate.target import open_target
    from triggers.operate.times import local, time_ms
    from triggers.sources import SOURCES

    names = [one.name for one in SOURCES]
    if source not in (None, *names):
        raise Usage(f"--source {source!r}: one of {', '.join(names)}{meant(source, names)}")
    with open_target(scheduler) as target:
        to_ms = time_ms(to.removesuffix(" ago"), target.ledger.now_ms(), "TIME")
        known = [one for one in names if source in (None, one) and target.ledger.reading.cursor(one).plan]
        for one in known:
            if to_ms > target.ledger.reading.cursor(one).read_to_ms:
                raise Usage(f"{local(to_ms)} is later than the cursor of {one}: the changes in between would be lost")
        with target.ledger.audit.change("cursor set", to_ms=to_ms, sources=known) as came:
            came["set"] = [one for one in known if _set(target, one, to_ms)]
    if as_json:
        output.print_json({"set": came["set"], "read_to_ms": to_ms})
    else:
        output.say(
            f"the next poll reads {' and '.join(came['set'])} from {local(to_ms)} on" if known else "nothing read yet"
        )
    raise typer.Exit(0 if came["set"] == known else 1)


def _set(target: Target, source: str, to_ms: int) -> bool:
    """Set one cursor, between two polls."""
    for _ in range(_TRIES):
        done = target.ledger.by_hand.set_cursor(source, to_ms)
        if done:
            return done > 0
        time.sleep(_PAUSE_SECONDS)
    return False
