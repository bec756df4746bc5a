"""`clearml-triggers sandbox`: a local ClearML API server in the foreground."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from triggers.terminal import say


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="port of API and files; 0 takes a free one")] = 8008,
    access_key: Annotated[str | None, typer.Option(help="made up if not given")] = None,
    secret_key: Annotated[str | None, typer.Option(help="made up if not given")] = None,
    host: Annotated[str, typer.Option(help="address to listen on; others than this machine's are open")] = "127.0.0.1",
    server_version: Annotated[str, typer.Option(help="which ClearML server it imitates: 1.17, 2.2 or 2.3")] = "2.3",
    env: Annotated[bool, typer.Option("--env", help="print the lines that set the environment")] = False,
) -> None:
    """Run a local ClearML API server: empty at start, in memory, gone at the end.

    With --env and a sandbox that listens on that port already, print its lines and end:
    eval "$(clearml-triggers sandbox --port 8008 --env)"
    """
    from ..sandbox import Sandbox, running_env

    running = running_env(f"http://{host}:{port}") if env and port else None
    if running is not None:
        _print_env(running)
        return
    try:
        server = Sandbox(port, access_key, secret_key, host=host, server_version=server_version)
    except ValueError as error:
        say(f"--server-version: {error}", error=True)
        raise typer.Exit(2) from error
    try:
        server.bind()
    except OSError as error:
        say(f"port {port} of {host} is taken ({error.strerror}): choose another one with --port", error=True)
        raise typer.Exit(2) from error
    if env:
        _print_env(server.env())
    say(f"ClearML API and files at {server.url}, control at {server.url}/_sandbox", error=True)
    if not env:
        say(f"access key {server.access_key}, secret key {server.secret_key}", error=True)
    server.serve()


def _print_env(values: dict[str, str]) -> None:
    """Lines for a shell, at once even into a pipe."""
    say(*(f"export {name}={shlex.quote(value)}" for name, value in values.items()))
