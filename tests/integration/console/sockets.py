"""Connections to a console byte by byte, for clients that no library would be."""

from __future__ import annotations

import contextlib
import socket

from tests.integration.console.conftest import Browser
from triggers.console.serve import ConsoleServer

SECONDS = 60.0


def connection(console: ConsoleServer) -> socket.socket:
    port = int(console.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def head(browser: Browser, method: str, path: str, **fields: str) -> bytes:
    port = browser.console.url.rpartition(":")[2]
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.session.cookies)
    lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{port}", f"cookie: {cookie}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ends(open_: socket.socket) -> bytes:
    """What still comes until the console hangs up."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := open_.recv(65_536):
            found += piece
    return found


def through(open_: socket.socket, mark: bytes) -> bytes:
    """What comes up to a mark."""
    found = b""
    while mark not in found:
        piece = open_.recv(65_536)
        assert piece, found
        found += piece
    return found
