"""`clearml-triggers audit`: what people changed by this command line."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json


def audit(
    since: Annotated[str | None, typer.Option(metavar="TIME", help="2h, 7d or 2026-11-22T18:00")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="at most so many, the newest")] = 50,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Show what people changed by this command line: who, when, what; oldest first."""
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate.target import open_target
    from triggers.operate.when import iso, local, time_ms

    with open_target(scheduler) as target:
        since_ms = time_ms(since, target.ledger.now_ms(), "--since") if since else 0
        lines = target.ledger.audit.read(since_ms, limit)[::-1]
    if as_json:
        output.print_json(
            [
                {"at": iso(line.at_ms), "who": line.who, "what": line.what, "outcome": line.outcome, **line.detail}
                for line in lines
            ]
        )
        return
    rows = [
        [
            text(local(line.at_ms)),
            text(line.who),
            text(line.what, "cyan"),
            text(line.outcome),
            text(_words(line.detail)),
        ]
        for line in lines
    ]
    columns = [Column("at"), Column("who", most=24), Column("what"), Column("outcome"), Column("detail", grows=True)]
    output.show_rows(columns, rows, "nobody has changed anything, as far as is remembered")


def _words(detail: dict[str, object]) -> str:
    """The detail of a line, short; JSON has all of it."""
    said = []
    for name, value in detail.items():
        if value in ("", [], None) or name == "specification":
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        said.append(f"{name}: {shown if len(shown) <= 120 else shown[:120] + '...'}")
    return "; ".join(said)
