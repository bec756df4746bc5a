"""The control address: what tests do to the server, apart from its API. `Control` is its client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .crew import Agent
from .faults import Fault
from .strangers import refusal

if TYPE_CHECKING:
    from .app import App

Json = dict[str, Any]

_CLOCK = ("offset_seconds", "date_offset_seconds", "replicas", "by")


@dataclass(frozen=True)
class Ask:
    """One request to the control address."""

    app: App
    body: Json
    request: Request

    @property
    def number(self) -> int:
        """The number in its path."""
        return int(self.request.path_params["number"])


Verb = Callable[[Ask], Any]


def control_routes(app: App) -> list[Route]:
    """The routes of one server's control address."""
    verbs: list[tuple[str, str, Verb]] = [
        ("POST", "/reset", lambda ask: ask.app.reset()),
        ("GET", "/requests", _requests),
        ("GET", "/counts", _counts),
        ("GET", "/faults", lambda ask: [f.shown() for f in ask.app.faults.rules.values()]),
        ("POST", "/faults", lambda ask: ask.app.faults.add(Fault(**ask.body)).shown()),
        ("DELETE", "/faults", lambda ask: ask.app.faults.remove()),
        ("DELETE", "/faults/{number:int}", lambda ask: ask.app.faults.remove(ask.number)),
        ("POST", "/faults/{number:int}/release", _release),
        ("GET", "/clock", lambda ask: _clock_now(ask)),
        ("POST", "/clock", _clock),
        ("POST", "/late", _late),
        ("POST", "/tokens/expire", lambda ask: ask.app.tokens.expire_all()),
        ("GET", "/agents", lambda ask: ask.app.crew.shown()),
        ("POST", "/agents", _hire),
        ("DELETE", "/agents/{number:int}", lambda ask: ask.app.crew.dismiss(ask.number)),
        ("GET", "/run_starts", lambda ask: ask.app.crew.starts),
        ("GET", "/status_changes", _status_changes),
    ]
    return [
        Route("/ready", _ready(app), methods=["GET"]),
        *(Route(path, _handler(app, verb), methods=[method]) for method, path, verb in verbs),
    ]


def _ready(app: App) -> Callable[[Request], Awaitable[JSONResponse]]:
    """That the server is up, and which one it is, for anyone."""

    async def handle(request: Request) -> JSONResponse:  # noqa: ARG001
        return JSONResponse({"result": {"instance": app.instance}})

    return handle


def _handler(app: App, verb: Verb) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def handle(request: Request) -> JSONResponse:
        if refused := refusal(request.headers):
            return JSONResponse({"error": refused}, 403)
        content = await request.body()
        try:
            body = await request.json() if content else {}
            return JSONResponse({"result": verb(Ask(app, body, request))})
        except (TypeError, ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return handle


def _requests(ask: Ask) -> list[Json]:
    asked = ask.request.query_params
    after, endpoint, caller = int(asked.get("after", 0)), asked.get("endpoint"), asked.get("caller")
    return [
        entry.shown()
        for entry in ask.app.journal.after(after)
        if endpoint in (None, entry.endpoint) and caller in (None, entry.caller)
    ]


def _counts(ask: Ask) -> Json:
    return {"endpoints": ask.app.journal.by_endpoint(), "callers": ask.app.journal.by_caller()}


def _status_changes(ask: Ask) -> list[Json]:
    after = int(ask.request.query_params.get("after", 0))
    moves = (move for move in ask.app.state.tasks.moves if move[0] > after)
    return [dict(zip(("number", "task", "status"), move, strict=True)) for move in moves]


def _release(ask: Ask) -> int:
    return ask.app.faults.rules[ask.number].release(ask.body.get("number"))


def _clock(ask: Ask) -> Json:
    """Set what is given, return what holds."""
    clock, body = ask.app.clock, ask.body
    if body.get("by") not in (None, "call", "caller"):
        raise ValueError("by: call or caller")
    for name in _CLOCK:
        if body.get(name) is not None:
            setattr(clock, name, body[name])
    return _clock_now(ask)


def _clock_now(ask: Ask) -> Json:
    return {name: getattr(ask.app.clock, name) for name in _CLOCK}


def _late(ask: Ask) -> None:
    for store in (ask.app.state.tasks, ask.app.state.models):
        store.late_seconds = float(ask.body["seconds"])


def _hire(ask: Ask) -> Json:
    return {"id": ask.app.crew.hire(Agent(**ask.body)).id}
