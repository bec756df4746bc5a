"""`clearml-triggers up`: everything that serves a scheduler, in one process tree."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice
from triggers.cli.stopping import until_stopped


def up(
    file: Annotated[
        str | None, typer.Option("--file", "-f", metavar="FILE", help="declare the triggers of this YAML file")
    ] = None,
    project: Annotated[str | None, typer.Option(help="with -f: project of the service task (default DevOps)")] = None,
    name: Annotated[str | None, typer.Option(help="with -f: name of the service task (default Scheduler)")] = None,
    console: Annotated[bool, typer.Option("--console", help="serve the console too, on 127.0.0.1")] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="with --console: its port (default 8090); 0 takes a free one")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="do not print the status line")] = False,
    scheduler: Choice = None,
) -> None:
    """Run everything until Ctrl-C: Redis unless TRIGGERS_REDIS_URL names one, beat, and all workers.

    Processes that die are restarted. With -f, declare the triggers of the file as a script would; otherwise serve the
    registered triggers. With --console, print a link to the console; press Enter for another one.
    """
    from triggers.base.errors import Usage
    from triggers.local.console_child import PORT
    from triggers.operate import up

    if file and scheduler:
        raise Usage("--scheduler selects a registered scheduler: with -f, use --project and --name")
    if port is not None and not console:
        raise Usage("--port is the port of the console: add --console")
    if not file and (project or name):
        raise Usage("--project and --name require -f; without a file, use --scheduler PROJECT/NAME")
    at = (port if port is not None else PORT) if console else None
    with until_stopped():
        if file:
            from triggers.configuration import load, name_of

            # the file is read before the scheduler makes its service task
            up.serve_declared(load(file).triggers, name_of(file), name, project, quiet=quiet, console=at)
        else:
            up.serve(scheduler, quiet=quiet, console=at)
