"""The ASGI application: API calls with their faults, the control address, and files, all on one port."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from email.utils import formatdate
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.routing import Route as HttpRoute
from starlette.types import Message, Receive, Scope, Send

from . import errors, pages
from .api import Route, SandboxAnswer, SandboxApi, envelope, failure
from .auth import Gatekeeper, Tokens
from .calls import ENDPOINTS, Call
from .clock import Clock
from .control import control_routes
from .crew import AgentCrew
from .faults import Fault, Faults
from .files import Files
from .journal import Journal
from .releases import NEWEST, RELEASES, Release
from .state import SandboxState

#: the control address
CONTROL_PATH = "/_sandbox"
#: how the SDK names itself: "clearml-2.1.12", "clearml-server-2.3.0, clearml-2.1.12"
_SDK = re.compile(rb"\bclearml-(?:server-)?\d")
_FILE_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]


class App:
    """One server."""

    def __init__(self, access_key: str, secret_key: str, release: Release = RELEASES[NEWEST]) -> None:
        self._keys, self.release = (access_key, secret_key), release
        self.instance = secrets.token_hex(8)
        self.clock, self.faults, self.journal, self.files = Clock(), Faults(), Journal(), Files()
        self.tokens = Tokens(secret_key, release)
        state = SandboxState(self.clock, self.tokens, release)
        self.api = SandboxApi(state, Gatekeeper(access_key, secret_key, self.tokens))
        self.crew = AgentCrew(self)
        everything = HttpRoute("/{path:path}", self._other, methods=_FILE_METHODS)
        routes = [Mount(CONTROL_PATH, routes=control_routes(self)), everything]
        self._others = Starlette(routes=routes)

    @property
    def state(self) -> SandboxState:
        """What the server knows."""
        return self.api.state

    def env(self, url: str) -> dict[str, str]:
        """The environment that makes the SDK use this server at this address."""
        hosts = dict.fromkeys(("CLEARML_API_HOST", "CLEARML_WEB_HOST", "CLEARML_FILES_HOST"), url)
        access_key, secret_key = self._keys
        return {**hosts, "CLEARML_API_ACCESS_KEY": access_key, "CLEARML_API_SECRET_KEY": secret_key}

    def reset(self) -> None:
        """Make it an empty server without faults, agents and log; keys and tokens stay good."""
        self.faults.remove()
        self.crew.dismiss()
        self.clock = Clock()
        self.api.state = SandboxState(self.clock, self.tokens, self.release)
        self.journal, self.files.contents = Journal(), {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = self.api.route(scope["path"]) if scope["type"] == "http" else None
        if route is None or (scope["method"] == "GET" and scope["path"].lstrip("/") in self.files.contents):
            await self._others(scope, receive, send)
            return
        body = await _body(receive)
        headers = dict(scope["headers"])
        began, caller = time.perf_counter(), caller_of(headers)
        struck = self.faults.striking(route.name, caller) if self.faults.rules else []
        answer = await self._carried_out(route, headers, body, caller, struck)
        if self.faults.rules:
            self.faults.note(route.name, caller)
        now = self.clock.now(caller) if not self.clock.replicas else self.clock.now_of(caller)
        self.journal.add(
            at=now,
            endpoint=route.name,
            caller=caller,
            status=answer.status if answer else 0,
            subcode=answer.subcode if answer else 0,
            milliseconds=round((time.perf_counter() - began) * 1000, 3),
            received=len(body),
            sent=len(answer.body) if answer else 0,
            faults=tuple(fault.kind for fault in struck),
            known=answer is None or answer.known,
        )
        if answer is None:
            await _hang_up(scope)
        else:
            await _send(send, answer, now + self.clock.date_offset_seconds, close=forks(headers))

    async def _carried_out(
        self, route: Route, headers: dict[bytes, bytes], body: bytes, caller: str, struck: list[Fault]
    ) -> SandboxAnswer | None:
        """Carry out a call with what the faults do to it; None: hang up."""
        for fault in struck:
            if fault.when == "before":
                await _pause(fault)
                if fault.kind == "drop":
                    return None
                instead = _instead(fault, route)
                if instead is not None:
                    return instead
        answer = self.api.answer(route, headers, body, self.clock.now(caller), caller)
        for fault in struck:
            if fault.kind == "malformed":
                answer.body = answer.body[: len(answer.body) // 2]
            elif fault.when == "after":
                await _pause(fault)
                if fault.kind == "drop":
                    return None
                answer = _instead(fault, route) or answer
        return answer

    def call(self, name: str, body: dict[str, Any], caller: str) -> Any:
        """A call from inside, for agents: logged like any other.

        Raises:
            ApiError: as the API answers it.
        """
        now, status, subcode = self.clock.now(caller), 200, 0
        try:
            return ENDPOINTS[name].handler(Call(self.state, name, body, now, caller))
        except errors.ApiError as error:
            status, subcode = error.code, error.subcode
            raise
        finally:
            values = {"at": now, "endpoint": name, "caller": caller, "status": status, "subcode": subcode}
            self.journal.add(**values, milliseconds=0.0, received=0, sent=0, faults=(), known=True)

    async def _other(self, request: Request) -> Response:
        """Files and pages; a path that can be neither is a malformed path of the API."""
        path = request.scope["path"]
        if request.method in ("GET", "HEAD") and path.lstrip("/") not in self.files.contents and pages.is_page(path):
            return pages.answer(self.state, path, request.headers.get("host", ""))
        is_file = path.lstrip("/") in self.files.contents or "/" in path[1:]
        if path in ("/", "/delete_many") or is_file:
            response = await self.files.answer(request)
            response.headers["connection"] = "close"  # as to the SDK's calls, which can not be told apart here
            return response
        answer = failure(errors.bad_path(path), Route("", "", None))
        return Response(answer.body, answer.status, media_type="application/json")


def caller_of(headers: dict[bytes, bytes]) -> str:
    """Who calls: the worker name that SDK and agents send, else the client, else the program."""
    for name in (b"x-clearml-worker", b"x-trains-worker", b"x-clearml-client", b"user-agent"):
        if name in headers:
            return headers[name].decode("latin-1")
    return ""


def forks(headers: dict[bytes, bytes]) -> bool:
    """True if the caller is the SDK: it forks with open connections and then uses them from both processes.

    Answers would reach the wrong one of them (seen: a model's publish answered with that of events.add_batch).
    """
    return _SDK.search(headers.get(b"x-clearml-client", b"")) is not None


async def _body(receive: Receive) -> bytes:
    message: Message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _pause(fault: Fault) -> None:
    if fault.kind == "hold":
        await fault.wait()
    elif fault.seconds:
        await asyncio.sleep(fault.seconds)


def _instead(fault: Fault, route: Route) -> SandboxAnswer | None:
    """The answer that a fault gives instead of the true one."""
    if fault.kind == "expired":
        return failure(errors.bad_token("Signature has expired"), route)
    if fault.kind == "html":
        return SandboxAnswer(502, 0, b"<html><body><h1>502 Bad Gateway</h1></body></html>")
    if fault.kind in ("busy", "quota"):
        answer = failure(errors.too_many_calls() if fault.kind == "busy" else errors.quota_exceeded(), route)
        if fault.retry_after is not None:
            asked = fault.retry_after if isinstance(fault.retry_after, str) else f"{fault.retry_after:g}"
            answer.headers += ((b"retry-after", asked.encode()),)
        return answer
    if fault.kind == "error":
        body = envelope(route, fault.status, 100, "General data error", {})
        return SandboxAnswer(fault.status, 100, body)
    return None


async def _send(send: Send, answer: SandboxAnswer, now: float, *, close: bool) -> None:
    html = answer.body.startswith(b"<html")
    headers = [
        (b"content-type", b"text/html" if html else b"application/json"),
        (b"content-length", str(len(answer.body)).encode()),
        (b"date", formatdate(now, usegmt=True).encode()),
        *answer.headers,
    ]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _hang_up(scope: Scope) -> None:
    """Close the connection without an answer."""
    transport = scope.get("state", {}).get("transport")
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0.01)  # the server learns of it in its next round
