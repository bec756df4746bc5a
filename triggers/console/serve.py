"""Runs the console: settings put together, the port, the link that is printed."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from triggers.base.errors import Usage
from triggers.base.settings import Settings
from triggers.console.access import Proxy, Sessions, accounts
from triggers.console.app import make_app
from triggers.console.ended import EndedSessions
from triggers.console.key import session_key
from triggers.console.listener import Server, make_server
from triggers.console.schedulers import Schedulers
from triggers.console.security import LOOPBACK, hosts
from triggers.console.site import Site
from triggers.ledger.history.audit import who


def make_site(of: Settings, host: str, choice: str | None = None) -> Site:
    """Put together what the requests of one console share.

    Raises:
        Usage: accounts, hosts or the proxy make no sense together.
    """
    known = accounts(of.console_users)
    proxy = Proxy.of(of.console_proxy_header, of.console_proxy_addresses, of.console_proxy_operators)
    if not known and not proxy.header and host not in LOOPBACK:
        raise Usage(
            f"--host {host!r}: a console that others can reach requires accounts: set TRIGGERS_CONSOLE_USERS to "
            "NAME:ROLE:HASH with a hash of `clearml-triggers console --hash`, or TRIGGERS_CONSOLE_PROXY_HEADER"
        )
    sessions, shown = Sessions(session_key(of), known), Schedulers(of, choice)
    ended = EndedSessions(shown.clients)
    return Site(of, shown, sessions, ended, proxy, hosts(host, of.console_hosts), who())


@dataclass
class ConsoleServer:
    """A console that serves. Close it by leaving its context."""

    site: Site
    url: str
    server: Server
    socket: socket.socket

    def link(self) -> str:
        """What to open: a one-time link, or the log-in page where there are accounts."""
        if self.site.sessions.accounts or self.site.proxy.header:
            return self.url
        return f"{self.url}/enter/{self.site.links.new(self.site.clock())}"

    def run(self) -> None:
        """Serve until `stop`."""
        self.server.run(sockets=[self.socket])

    def stop(self) -> None:
        """End within two seconds: pages that are being made are finished as far as they can be."""
        self.server.should_exit = True


def listen(of: Settings, host: str, port: int, choice: str | None = None) -> ConsoleServer:
    """Take the port.

    Raises:
        Usage: it is taken, or the settings make no sense.
    """
    site = make_site(of, host, choice)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)  # who comes before the loop runs waits
    except OSError as error:
        raise Usage(
            f"the console cannot listen on {host}:{port} ({error.strerror}): choose --port or --host"
        ) from error
    shown = f"[{host}]" if ":" in host else host
    return ConsoleServer(site, f"http://{shown}:{listening.getsockname()[1]}", make_server(make_app(site)), listening)


@contextlib.contextmanager
def serving(of: Settings, host: str, port: int, choice: str | None = None) -> Iterator[ConsoleServer]:
    """Serve in a thread while the body runs."""
    console = listen(of, host, port, choice)
    thread = threading.Thread(target=console.run, name="console", daemon=True)
    thread.start()
    try:
        yield console
    finally:
        console.stop()
        thread.join(5.0)
        console.site.schedulers.close()
