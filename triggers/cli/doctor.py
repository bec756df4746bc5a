"""`clearml-triggers doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

import typer

from triggers.cli.options import Choice, Json


def doctor(scheduler: Choice = None, as_json: Json = False) -> None:
    """Check Redis, the ClearML server, the names in triggers, and the workers, and say what to do.

    Takes about two seconds, since workers get one to answer. Exit code 1 if something is wrong.
    """
    from triggers.cli import output
    from triggers.cli.output import Column, styled, text
    from triggers.operate.doctor import examine
    from triggers.operate.doctor.findings import shown
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
            for finding in shown(findings)
        ]
        output.show(output.table([Column(""), Column("what"), Column("found", grows=True)], rows))
    raise typer.Exit(1 if any(finding.level == "bad" for finding in findings) else 0)
