"""`clearml-triggers list`: all triggers at a glance."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, Limit


def list_(
    scheduler: Choice = None,
    everything: Annotated[bool, typer.Option("--all", help="include triggers that are no longer declared")] = False,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List the triggers: state, condition, last firing, number of firings, and what waits."""
    from triggers.cli import listing

    listing.run(scheduler, everything=everything, limit=limit, as_json=as_json)
