"""`clearml-triggers audit`: what people changed, by command line, script, file, or an edit in ClearML."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json


def audit(
    since: Annotated[str | None, typer.Option(metavar="TIME", help="time, such as 2h, 7d, or 2026-11-22T18:00")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="show at most N entries, newest first")] = 50,
    verify: Annotated[
        bool, typer.Option("--verify", help="verify that no line of the log is missing or changed")
    ] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Show who changed what and when, by command line, script, file, or an edit in ClearML; oldest first.

    --verify checks that no line is missing or changed, also against the copy in the service task. Exit code 1 if
    one is.
    """
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate.target import open_target
    from triggers.operate.times import iso, local, time_ms

    if verify:
        _verify(scheduler, as_json=as_json)
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
    output.show_rows(columns, rows, "no changes recorded")


def _verify(scheduler: str | None, *, as_json: bool) -> None:
    """Check the chain, and end with the verdict."""
    from triggers.cli import output
    from triggers.operate.target import open_target
    from triggers.operate.verifying import verify

    with open_target(scheduler) as target:
        verdict = verify(target)
    if as_json:
        fields = {"lines": verdict.lines, "whole": not verdict.faults, "faults": verdict.faults}
        output.print_json(fields | {"not_compared": verdict.not_compared})
    else:
        for fault in verdict.faults:
            output.show(output.text(fault, "bold red"), whole=True)
        if verdict.not_compared:
            output.note(f"not compared with the service task: {verdict.not_compared}")
        said = f"{output.plural(verdict.lines, 'line')}, {output.plural(len(verdict.faults), 'fault')}"
        output.show(
            output.text(said if verdict.faults else f"{output.plural(verdict.lines, 'line')}: the log is whole")
        )
    raise typer.Exit(1 if verdict.faults else 0)


def _words(detail: dict[str, object]) -> str:
    """The detail of a line, short; JSON has all of it."""
    said = []
    for name, value in detail.items():
        if value in ("", [], None) or name == "specification":
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        said.append(f"{name}: {shown if len(shown) <= 120 else shown[:120] + '...'}")
    return "; ".join(said)
