"""`clearml-triggers doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from triggers.cli.options import Choice, Json


def doctor(scheduler: Choice = None, as_json: Json = False) -> None:
    """Look at Redis, the ClearML server, what triggers name, and the workers; say what to do.

    Takes a second or two, since workers are given one to answer. Exit code 1 when something is wrong.
    """
    from triggers.cli import output
    from triggers.cli.output import Column, styled, text
    from triggers.operate.doctor import examine
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        findings = list(examine(target))
    if as_json:
        output.print_json([asdict(finding) for finding in findings])
    else:
        rows = [
            [
                styled(finding.level),
                text(finding.about, "cyan"),
                text(finding.words).below(f"→ {finding.to_do}", "bold") if finding.to_do else text(finding.words),
            ]
            for finding in findings
        ]
        output.show(output.table([Column(""), Column("what"), Column("found", grows=True)], rows))
    raise typer.Exit(1 if any(finding.level == "bad" for finding in findings) else 0)
