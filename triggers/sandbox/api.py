"""Answers API calls: path, credentials, body, handler, envelope. Nothing here waits: calls are answered in turn."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import errors, services
from .auth import COOKIE, Gatekeeper
from .calls import ENDPOINTS, MOVED, Call, Endpoint, Json, check, new_id
from .state import SandboxState

__all__ = ["Route", "SandboxAnswer", "SandboxApi", "services"]

log = logging.getLogger("triggers.sandbox")
_PATH = re.compile(r"^/(?:v(\d+)\.(\d+)/)?(\w+)\.(\w+)/?$")


@dataclass(frozen=True, slots=True)
class Route:
    """What a path asks for."""

    name: str
    version: str
    endpoint: Endpoint | None


@dataclass(slots=True)
class SandboxAnswer:
    """The answer to a call, ready to be sent."""

    status: int
    subcode: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    known: bool = True


class SandboxApi:
    """The API of one server."""

    def __init__(self, state: SandboxState, gatekeeper: Gatekeeper) -> None:
        self.state, self.gatekeeper = state, gatekeeper
        self._routes: dict[str, Route] = {}

    def route(self, path: str) -> Route | None:
        """What a path asks for; None if it is not a path of the API."""
        known = self._routes.get(path)
        if known is None:
            found = _PATH.match(path)
            if found is None:
                return None
            major, minor, service, action = found.groups()
            version = (int(major), int(minor)) if major else self.state.release.api
            name = f"{service}.{action}"
            endpoint = ENDPOINTS.get(name)
            if endpoint is not None and (version < endpoint.since or name in self.state.release.lacks):
                endpoint = None
            known = Route(name, f"{version[0]}.{version[1]}", endpoint)
            if endpoint is not None:
                self._routes[path] = known
        return known

    def answer(
        self, route: Route, headers: Mapping[bytes, bytes], body: bytes, now: float, caller: str
    ) -> SandboxAnswer:
        """Carry out a call."""
        try:
            data = self._data(route, headers, body, now, caller)
        except errors.ApiError as error:
            return failure(error, route, known=route.endpoint is not None or route.name in MOVED)
        except (KeyError, TypeError, AttributeError) as error:
            log.exception("%s could not read its request", route.name)
            return failure(errors.invalid_request(f"malformed request: {error!r}"), route)
        except Exception as error:
            log.exception("%s failed", route.name)
            return failure(errors.ApiError(500, 100, f"General data error: err={error}"), route)
        sent: tuple[tuple[bytes, bytes], ...] = ()
        if route.name == "auth.login":
            sent = ((b"set-cookie", f"{COOKIE}={data['token']}; HttpOnly; Path=/".encode()),)
        return SandboxAnswer(200, 0, envelope(route, 200, 0, "OK", data), sent)

    def _data(self, route: Route, headers: Mapping[bytes, bytes], body: bytes, now: float, caller: str) -> Json:
        endpoint = route.endpoint
        if endpoint is None:
            if route.name in MOVED:
                raise errors.moved_endpoint(MOVED[route.name])
            log.warning("%s is not implemented in version %s", route.name, route.version)
            raise errors.unknown_endpoint(route.name, route.version)
        if endpoint.auth and route.name not in self.state.release.open_calls:
            self.gatekeeper.check(headers, now)
        request = read_body(body, headers.get(b"content-type", b""))
        check(endpoint.fields, request)
        return endpoint.handler(Call(self.state, route.name, request, now, caller))


def read_body(body: bytes, content_type: bytes) -> Json:
    """The request; an empty body, null and [] are not fields. JSON lines become the field `lines`."""
    try:
        if content_type.startswith(b"application/json-lines"):
            return {"lines": [json.loads(line) for line in body.splitlines() if line.strip()]}
        request = json.loads(body) if body.strip() else None
    except ValueError as error:
        raise errors.bad_request() from error
    if not request:
        return {}
    if isinstance(request, list):
        return {"lines": request}
    if not isinstance(request, dict):
        raise errors.bad_request()
    return request


def failure(error: errors.ApiError, route: Route, *, known: bool = True) -> SandboxAnswer:
    """The answer that an error makes."""
    body = envelope(route, error.code, error.subcode, str(error), {})
    return SandboxAnswer(error.code, error.subcode, body, known=known)


def envelope(route: Route, code: int, subcode: int, message: str, data: Any) -> bytes:
    """Every answer says what was asked and what came of it; NaN and infinities stay bare in it."""
    made = new_id()
    since = route.endpoint.since if route.endpoint else (1, 0)
    endpoint = {"name": route.name, "requested_version": route.version}
    meta = {
        "id": made,
        "trx": made,
        "endpoint": {**endpoint, "actual_version": f"{since[0]}.{since[1]}"},
        "result_code": code,
        "result_subcode": subcode,
        "result_msg": message,
        "error_stack": None,
        "error_data": {},
    }
    return json.dumps({"meta": meta, "data": data}, separators=(",", ":")).encode()
