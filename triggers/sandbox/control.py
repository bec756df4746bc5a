"""The control address: what tests do to the server, apart from its API. `Control` is its client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .crew import Agent
from .faults import Fault

if TYPE_CHECKING:
    from .app import App

Json = dict[str, Any]
Verb = Callable[["App", Json, Request], Any]


def control_routes(app: App) -> list[Route]:
    """The routes of one server's control address."""
    verbs: list[tuple[str, str, Verb]] = [
        ("POST", "/reset", lambda app, body, request: app.reset()),
        ("GET", "/requests", _requests),
        ("GET", "/counts", _counts),
        ("GET", "/faults", lambda app, body, request: [f.shown() for f in app.faults.rules.values()]),
        ("POST", "/faults", lambda app, body, request: app.faults.add(Fault(**body)).shown()),
        ("DELETE", "/faults", lambda app, body, request: app.faults.remove()),
        ("DELETE", "/faults/{number:int}", lambda app, body, request: app.faults.remove(_number(request))),
        ("POST", "/faults/{number:int}/release", _release),
        ("GET", "/clock", lambda app, body, request: _clock(app, {}, request)),
        ("POST", "/clock", _clock),
        ("POST", "/late", _late),
        ("POST", "/tokens/expire", lambda app, body, request: app.tokens.expire_all()),
        ("GET", "/agents", lambda app, body, request: app.crew.shown()),
        ("POST", "/agents", _hire),
        ("DELETE", "/agents/{number:int}", lambda app, body, request: app.crew.dismiss(_number(request))),
        ("GET", "/run_starts", lambda app, body, request: app.crew.starts),
    ]
    return [Route(path, _handler(app, verb), methods=[method]) for method, path, verb in verbs]


def _handler(app: App, verb: Verb) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def handle(request: Request) -> JSONResponse:
        content = await request.body()
        try:
            body = await request.json() if content else {}
            return JSONResponse({"result": verb(app, body, request)})
        except (TypeError, ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return handle


def _number(request: Request) -> int:
    return int(request.path_params["number"])


def _requests(app: App, body: Json, request: Request) -> list[Json]:
    after = int(request.query_params.get("after", 0))
    endpoint, caller = request.query_params.get("endpoint"), request.query_params.get("caller")
    return [
        entry.shown()
        for entry in app.journal.after(after)
        if endpoint in (None, entry.endpoint) and caller in (None, entry.caller)
    ]


def _counts(app: App, body: Json, request: Request) -> Json:
    return {"endpoints": app.journal.by_endpoint(), "callers": app.journal.by_caller()}


def _release(app: App, body: Json, request: Request) -> int:
    return app.faults.rules[_number(request)].release(body.get("number"))


def _clock(app: App, body: Json, request: Request) -> Json:
    """Set what is given, return what holds."""
    clock = app.clock
    if body.get("by") not in (None, "call", "caller"):
        raise ValueError("by: call or caller")
    for name in ("offset_seconds", "replicas", "by"):
        if body.get(name) is not None:
            setattr(clock, name, body[name])
    return {"offset_seconds": clock.offset_seconds, "replicas": clock.replicas, "by": clock.by}


def _late(app: App, body: Json, request: Request) -> None:
    for store in (app.state.tasks, app.state.models):
        store.late_seconds = float(body["seconds"])


def _hire(app: App, body: Json, request: Request) -> Json:
    return {"id": app.crew.hire(Agent(**body)).id}
