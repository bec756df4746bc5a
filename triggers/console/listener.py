"""The HTTP server of the console: what a connection may send and how long it may take, and how the server ends.

Everything behind the head of a request is left to the application.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import h11
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

#: The longest head of a request: its line and its headers, bytes.
LARGEST_HEAD: Final = 32_768
#: Seconds until the head of a request has arrived, from when it is due: the first byte, or the connection.
HEAD_SECONDS: Final = 10.0
#: Seconds that a client may take to read the next 48 kB or so of an answer.
READ_SECONDS: Final = 30.0
#: Connections at the same time: a page that is open has one.
_CONNECTIONS: Final = 500

#: Seconds that pages may take until they are finished once the console ends, and that ending them may take then.
GRACE_SECONDS: Final = 1.0
_LAST_SECONDS: Final = 0.5

_ENDING: Final = (
    "The console is shutting down. If you changed something, look at the audit log: it may have been carried out.\n"
)
_REFUSALS: Final = {431: "The address or the headers of the request are too long.", 400: "That is not HTTP."}


class _Parser(h11.Connection):
    """Refuses heads that are too long, also those that arrive whole; remembers with which status."""

    refused_with = 400

    def next_event(self) -> Any:
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            raise self._refusal(error.error_status_hint) from error
        if isinstance(event, h11.Request) and _length(event) > LARGEST_HEAD:
            raise self._refusal(431)
        return event

    def _refusal(self, status: int) -> h11.RemoteProtocolError:
        self.refused_with = status if status in _REFUSALS else 400
        return h11.RemoteProtocolError(_REFUSALS[self.refused_with], error_status_hint=self.refused_with)


def _length(request: h11.Request) -> int:
    headers = sum(len(name) + len(value) + len(b": \r\n") for name, value in request.headers)
    return len(request.method) + len(request.target) + len(b"  HTTP/1.1\r\n") + headers


class ConsoleConnection(H11Protocol):
    """One connection. It is hung up on when it sends or reads too slowly."""

    def connection_made(self, transport: Any) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self.conn = _Parser(h11.SERVER, LARGEST_HEAD)
        self._until: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self.hang_up)
        self._read_until: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        if self._read_until is not None:
            self._read_until.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Take what has arrived; the head of each request in the time for one."""
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._until is None and self.conn.trailing_data[0]:
            self._until = self.loop.call_later(HEAD_SECONDS, self.hang_up)

    def _stop_waiting(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def pause_writing(self) -> None:
        """Wait until the client has read on."""
        super().pause_writing()
        self._read_until = self.loop.call_later(READ_SECONDS, self.hang_up)

    def resume_writing(self) -> None:
        """It has."""
        if self._read_until is not None:
            self._read_until.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Say what is wrong with a request that nobody can read, where an answer has not begun yet."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            status = self.conn.refused_with  # type: ignore[attr-defined]
            body = _REFUSALS[status].encode()
            headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body)))]
            response = h11.Response(status_code=status, headers=[*headers, ("connection", "close")])
            for event in (response, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def is_answering(self) -> bool:
        """Whether an answer has begun and has not ended: a page that is being sent, or news."""
        return self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete

    def hang_up(self) -> None:
        """End the connection; for the application, the browser has gone."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
        self.transport.abort()


class Ending:
    """Answers requests that are given up as the server ends, in place of an error for each."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        has_begun = False

        async def noting_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except asyncio.CancelledError:
            if not has_begun and scope["type"] == "http":
                headers = {"connection": "close", "retry-after": "5"}
                await PlainTextResponse(_ENDING, 503, headers)(scope, receive, send)


class Server(uvicorn.Server):
    """Leaves signals to the process that it runs in, and ends soon, however busy it is."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End news at once, pages once they are finished or their time is over."""
        for server in self.servers:
            server.close()
        for connection in self._connections():
            connection.shutdown()
        self._hang_up_on_answers()
        await self._ended(GRACE_SECONDS)
        self._hang_up_on_answers()
        for task in list(self.server_state.tasks):
            task.cancel()
        await self._ended(_LAST_SECONDS)
        for connection in self._connections():
            connection.hang_up()
        await super().shutdown(sockets)

    def _hang_up_on_answers(self) -> None:
        """End what is being sent; an error page cannot follow it any more."""
        for connection in self._connections():
            if connection.is_answering:
                connection.hang_up()

    def _connections(self) -> list[ConsoleConnection]:
        return [one for one in self.server_state.connections if isinstance(one, ConsoleConnection)]

    async def _ended(self, seconds: float) -> None:
        if tasks := list(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=seconds)


def make_server(app: ASGIApp) -> Server:
    """Put the server together."""
    config = uvicorn.Config(
        Ending(app),
        http=ConsoleConnection,
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=LARGEST_HEAD,
    )
    return Server(config)
