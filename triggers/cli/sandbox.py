"""`clearml-triggers sandbox`: a local ClearML API server in the foreground."""

from __future__ import annotations

import functools
import shlex
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from triggers.base.escaping import shell_words
from triggers.base.terminal import say

if TYPE_CHECKING:
    from triggers.sandbox import Sandbox


def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="port of the API and the file server; 0 picks a free one")
    ] = 8008,
    access_key: Annotated[str | None, typer.Option(help="random if not given")] = None,
    secret_key: Annotated[str | None, typer.Option(help="random if not given")] = None,
    host: Annotated[
        str, typer.Option(help="address to listen on; other machines can reach any but a loopback address")
    ] = "127.0.0.1",
    server_version: Annotated[str, typer.Option(help="ClearML server version to imitate: 1.17, 2.2, or 2.3")] = "2.3",
    seed: Annotated[
        bool, typer.Option("--seed", help="create examples and print the commands for a first firing")
    ] = False,
    env: Annotated[bool, typer.Option("--env", help="print export lines for a shell")] = False,
) -> None:
    """Run a local ClearML API server in memory: empty at the start, gone at the end.

    --env prints the lines that make a shell use the sandbox on that port: eval "$(clearml-triggers sandbox --env)".
    Exit code 1 if none runs there.
    --port 0 --env starts a new sandbox and prints its lines.
    """
    if env and port:
        _print_env_of(host, port)
        return
    from ..sandbox import Sandbox

    try:
        server = Sandbox(port, access_key, secret_key, host=host, server_version=server_version)
    except ValueError as error:
        say(f"--server-version: {error}", error=True)
        raise typer.Exit(2) from error
    try:
        server.bind()
    except OSError as error:
        say(f"port {port} of {host} is in use ({error.strerror}): choose another port with --port", error=True)
        raise typer.Exit(2) from error
    say(f"ClearML API, files and pages at {server.url}, control at {server.url}/_sandbox", error=True)
    if env:
        _print_env(server.env())
    else:
        say(f"access key {server.access_key}, secret key {server.secret_key}", error=True)
    server.serve(functools.partial(_seed, server) if seed else None)


def _seed(server: Sandbox, ended: threading.Event) -> None:
    """Make the examples, say what to type next, and let something happen until the end."""
    from ..sandbox import Control
    from ..sandbox import seed as examples

    with server.client("examples") as client:
        seeded = examples.seed(client, Control(server.url))
        say(*examples.next_steps(server.url, server.port, seeded))
        examples.keep_failing(client, seeded.project, ended)


def _print_env_of(host: str, port: int) -> None:
    """Lines for a shell, at once even into a pipe.

    Raises:
        Exit: no sandbox of this user listens there.
    """
    from ..sandbox import running_env

    values = running_env(f"http://{host}:{port}")
    if values is None:
        start = f"start one in another terminal with `clearml-triggers sandbox --port {shell_words(str(port))}`"
        say(f"no sandbox of this user runs at {host}:{port}: {start}", error=True)
        raise typer.Exit(1)
    _print_env(values)


def _print_env(values: dict[str, str]) -> None:
    say(*(f"export {name}={shlex.quote(value)}" for name, value in values.items()))
