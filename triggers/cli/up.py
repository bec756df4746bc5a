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
    project: Annotated[str | None, typer.Option(help="with -f: project of the service task; DevOps")] = None,
    name: Annotated[str | None, typer.Option(help="with -f: name of the service task; Scheduler")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no status line")] = False,
    scheduler: Choice = None,
) -> None:
    """Run everything until Ctrl-C: Redis unless TRIGGERS_REDIS_URL names one, beat, and all workers.

    What dies is started again. With -f, the triggers of the file are declared as a script would declare them; else
    what is registered is served.
    """
    from triggers.base.errors import Usage
    from triggers.operate import up

    if file and scheduler:
        raise Usage("--scheduler is for what is registered already: with -f name it by --project and --name")
    if not file and (project or name):
        raise Usage("--project and --name go with -f; without a file say --scheduler PROJECT/NAME")
    with until_stopped():
        if file:
            from triggers.configuration import load, name_of

            # the file is read before the scheduler makes its service task
            up.serve_declared(load(file).triggers, name_of(file), name, project, quiet=quiet)
        else:
            up.serve(scheduler, quiet=quiet)
