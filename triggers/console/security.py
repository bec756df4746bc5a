"""What holds for every request, before anybody is asked who they are: host, size, time, and headers of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The largest body of a request, bytes, and the longest that it may take to arrive, seconds.
LARGEST_BODY: Final = 1_000_000
BODY_SECONDS: Final = 10.0

#: On every answer. No script, style or picture of another host, none within a page, no frame around it.
HEADERS: Final[dict[str, str]] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # not `no-referrer`: browsers would send `Origin: null` with our own forms
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

#: For files of ours, whose addresses change with their content.
FOR_GOOD: Final = b"public, max-age=31536000, immutable"

#: Names that this machine's own browser calls it by.
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def hosts(listens_on: str, named: Iterable[str]) -> frozenset[str]:
    """The host names that requests may be for: those of loopback, of the address, and those of the setting."""
    own = () if listens_on in ("0.0.0.0", "::") else (listens_on,)  # noqa: S104 (compared, not bound)
    return frozenset(name.strip("[]").lower() for name in (*LOOPBACK, *own, *named))


class Guard:
    """Refuses requests for other hosts, and bodies that are too large or too slow; adds headers."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self.app, self.names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name for name, _ in message["headers"]}
                added = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in known]
                if b"cache-control" not in known:
                    kept = message["status"] == 200 and scope["path"].startswith("/static/") and scope["query_string"]
                    added.append((b"cache-control", FOR_GOOD if kept else b"no-store"))
                message["headers"] = [*message["headers"], *added]
            await send(message)

        refusal = self._refusal(headers)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        await self.app(scope, _bounded(receive), send_with_headers)

    def _refusal(self, headers: dict[bytes, bytes]) -> PlainTextResponse | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if _name_of(host) not in self.names:
            text = "This console does not answer for that host name: add it to TRIGGERS_CONSOLE_HOSTS."
            return PlainTextResponse(text, 421)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return PlainTextResponse("The request is too large.", 413)
        return None


def _name_of(host: str) -> str:
    """A host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host


class BodyRefused(Exception):
    """A body is larger than its header announced, or did not come in time."""


def _bounded(receive: Receive) -> Receive:
    """The same body, refused once it is too large or takes too long."""
    size, whole, until = 0, False, asyncio.get_running_loop().time() + BODY_SECONDS

    async def bounded() -> Message:
        nonlocal size, whole
        if whole:  # what comes now is that the browser has gone
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), until - asyncio.get_running_loop().time())
        except TimeoutError as error:
            raise BodyRefused("the request did not arrive in time") from error
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > LARGEST_BODY:
                raise BodyRefused("the request is too large")
        return message

    return bounded
