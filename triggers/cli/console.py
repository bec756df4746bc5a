"""`clearml-triggers console`: web pages over what the verbs know."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice


def console(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="port to listen on; 0 takes a free one")] = 8090,
    host: Annotated[
        str, typer.Option(help="address to listen on; one that others can reach needs TRIGGERS_CONSOLE_USERS")
    ] = "127.0.0.1",
    make_hash: Annotated[bool, typer.Option("--hash", help="ask for a password and print its hash")] = False,
    scheduler: Choice = None,
) -> None:
    """Serve the console: triggers, firings, history and why, in a browser.

    Without accounts it prints a link that works once; press Enter for another one. Ends with Ctrl-C.
    """
    if make_hash:
        _print_hash()
        return
    from triggers.base.entry_point import way_to
    from triggers.base.errors import Usage
    from triggers.base.settings import settings

    try:
        from triggers.console.run import run
    except ModuleNotFoundError as missing:
        raise Usage(way_to(missing, "console") or str(missing)) from missing
    run(settings(), host, port, scheduler)


def _print_hash() -> None:
    import getpass

    from triggers.base.errors import Usage
    from triggers.base.terminal import say
    from triggers.console.passwords import hashed

    password = getpass.getpass("Password: ")
    if len(password) < 8:
        raise Usage("a password has at least 8 characters")
    if password != getpass.getpass("Again: "):
        raise Usage("the two passwords differ")
    say(hashed(password))
