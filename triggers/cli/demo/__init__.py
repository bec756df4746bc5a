"""`clearml-triggers demo`: changes on a local ClearML server, and the ClearML tasks that triggers launch.

Owns the script of the show and its screen. The server is `sandbox`'s, and the triggers run in a process of their own,
as a user's would.
"""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    rounds: Annotated[int, typer.Option(min=1, max=20, help="number of times to make each change")] = 2,
    keep: Annotated[bool, typer.Option("--keep", help="keep running until Ctrl-C")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as one JSON object")] = False,
) -> None:
    """Run a complete demonstration on this machine, without any setup, and leave nothing behind.

    Starts a local ClearML server and a user's script with a trigger of each kind, changes ClearML tasks,
    models and datasets with the ClearML SDK, and shows how each change becomes a launched ClearML task.
    """
    from triggers.cli.demo.play import play

    raise typer.Exit(0 if play(rounds, as_json=as_json, keep=keep) else 1)
