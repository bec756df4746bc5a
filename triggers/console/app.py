"""The web application: may a person do what they ask for, which page answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import redis
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from triggers.base.errors import StoreUnavailable, Transient, TriggersError, Usage
from triggers.console import pages, verbs
from triggers.console.access import Person
from triggers.console.door import Door, form_of, person_of
from triggers.console.live import Hub
from triggers.console.request import Asked
from triggers.console.security import BodyRefused, Guard
from triggers.console.site import STATIC, Site
from triggers.ledger.history.audit import acting

#: Carries what a change brought over to the page that is shown next.
_SAID: Final = "triggers_said"

#: Answers to a changed page for people who look at the same thing are made once.
_SAME_SECONDS: Final = 0.9


def make_app(site: Site) -> ASGIApp:
    """Put the application together."""
    door = Door(site)
    hub = Hub(site.schedulers)
    routes = [
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
        Route("/enter/{token}", door.enter, methods=["GET"]),
        Route("/login", door.ask, methods=["GET"]),
        Route("/login", door.log_in, methods=["POST"]),
        Route("/logout", door.log_out, methods=["POST"]),
        Route("/s/{scheduler}/live", partial(_live, site, hub), methods=["GET"]),
        Route("/s/{scheduler}/do/{verb}", partial(_change, site), methods=["POST"]),
    ]
    shower = _Pages(site, hub)
    routes += [Route(address, shower.endpoint(page), methods=["GET"]) for address, page in pages.PAGES.items()]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)],
        exception_handlers={404: _not_found, BodyRefused: _too_much},
    )
    return Guard(app, site.hosts)


def _lead_in(site: Site, request: Request) -> Response:
    """To the log-in page where there is one, for a browser that wants a page; else 401."""
    wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if wants_page and not request.url.path.endswith("/live") and "hx-request" not in request.headers:
        return RedirectResponse("/login", 303)
    words = "Log in first." if site.sessions.accounts else "Open the link that the console has printed."
    return PlainTextResponse(words, 401)


def _asked(
    site: Site, person: Person, request: Request, form: dict[str, list[str]] | None = None, version: int = 0
) -> Asked:
    parts = dict(request.path_params)
    id_ = parts.pop("scheduler", "")
    shown = site.schedulers.get(id_) if id_ else None
    url = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    said = site.sessions.told(request.cookies.get(_SAID, ""))
    return Asked(site, person, url, dict(request.query_params), shown, parts, form or {}, said, version)


class _Pages:
    """Shows pages. The same update for the same person is made once in a second, however many tabs wait for it."""

    def __init__(self, site: Site, hub: Hub) -> None:
        self.site, self.hub = site, hub
        self._made: dict[tuple[str, str, int], tuple[float, asyncio.Future[Response]]] = {}

    def endpoint(self, page: pages.Show) -> Callable[[Request], object]:
        """The endpoint of one page."""

        async def serve(request: Request) -> Response:
            person = await person_of(self.site, request)
            if person is None:
                return _lead_in(self.site, request)
            version = self.hub.version(request.path_params.get("scheduler", ""))
            if "hx-request" in request.headers:
                self.hub.note_update()
                made = await asyncio.shield(self._update(person, request, page, version))
                # an answer of its own: what is sent is changed on its way
                answer = Response(made.body, made.status_code, media_type="text/html")
            else:
                answer = await run_in_threadpool(_shown, self.site, person, request, page, version)
            if _SAID in request.cookies:
                answer.delete_cookie(_SAID, httponly=True, samesite="strict")
            return answer

        return serve

    def _update(self, person: Person, request: Request, page: pages.Show, version: int) -> asyncio.Future[Response]:
        now = time.monotonic()
        self._made = {
            key: (begun, made)
            for key, (begun, made) in self._made.items()
            if now - begun < _SAME_SECONDS or not made.done()
        }
        key = (str(request.url), person.session + person.name, version)
        if key not in self._made:
            making = run_in_threadpool(_shown, self.site, person, request, page, version)
            self._made[key] = (now, asyncio.ensure_future(making))
        return self._made[key][1]


def _shown(site: Site, person: Person, request: Request, page: pages.Show, version: int) -> Response:
    asked = None
    try:
        asked = _asked(site, person, request, version=version)
        if asked.shown is None and "scheduler" in request.path_params:
            return asked.page("error.html", 404, words="There is no such scheduler here.", hint="", again=False)
        return asked.scheduler.asked(partial(page, asked)) if asked.shown else page(asked)
    except (TriggersError, redis.RedisError) as failure:
        blank = Asked(site, person, str(request.url.path), {})
        return _failed(asked or blank, failure, update="hx-request" in request.headers)


def _failed(asked: Asked, failure: Exception, *, update: bool | None) -> Response:
    """The page that says what is wrong; `update`: an open page has asked, which goes on; None for a change."""
    away = isinstance(failure, (redis.ConnectionError, redis.TimeoutError, StoreUnavailable))
    again = update is not None and (update or away)
    hint = "This page comes back by itself once Redis answers." if away and again else ""
    status = 503 if away or isinstance(failure, (Transient, redis.RedisError)) else 400
    words = f"Redis gives no answer: {failure}" if away else str(failure)
    return Asked(asked.site, asked.person, asked.url, asked.query, asked.shown, version=asked.version).page(
        "error.html", status, words=words, hint=hint, again=again
    )


async def _change(site: Site, request: Request) -> Response:
    """Carry out a verb, and lead back to where it was asked for."""
    person = await person_of(site, request)
    if person is None:
        return _lead_in(site, request)
    form = await form_of(request)
    if not site.sessions.is_form_token(person, (form.get("token") or [""])[0]):
        return PlainTextResponse("This form is of another session: load the page again.", 403)
    if not person.may_change:
        return PlainTextResponse("Readers change nothing: ask for the role operator.", 403)
    return await run_in_threadpool(_changed, site, person, request, form)


def _changed(site: Site, person: Person, request: Request, form: dict[str, list[str]]) -> Response:
    asked = None
    try:
        asked = _asked(site, person, request, form)
        verb = verbs.VERBS.get(asked.parts["verb"])
        if asked.shown is None or verb is None:
            return asked.page("error.html", 404, words="There is no such scheduler or verb here.", hint="", again=False)
        question = verb.question(asked)
        if question and not asked.given("sure"):
            return asked.page("confirm.html", verb=verb, question=question, form=form, back=_back(asked))
        with acting(f"{person.name} (console)"):
            said = asked.shown.asked(lambda: verb.do(asked))
    except (TriggersError, redis.RedisError) as failure:
        return _form_again(asked, failure) or _failed(
            asked or Asked(site, person, request.url.path, {}), failure, update=None
        )
    answer = RedirectResponse(_back(asked), 303)
    answer.set_cookie(_SAID, site.sessions.said(said), max_age=30, httponly=True, samesite="strict")
    return answer


def _form_again(asked: Asked | None, failure: Exception) -> Response | None:
    """The form with what is wrong, so that nobody has to write it again; None where there is no such form."""
    verb = verbs.VERBS.get(asked.parts["verb"]) if asked and asked.shown else None
    return verb.again(asked, str(failure)) if asked and verb and isinstance(failure, Usage) else None


def _back(asked: Asked) -> str:
    """The page that a form was on, if it is one of ours."""
    back = urlsplit(asked.given("back"))
    ours = not back.scheme and not back.netloc and back.path.startswith("/s/") and "\\" not in back.path
    return back._replace(fragment="").geturl() if ours else "/"


async def _live(site: Site, hub: Hub, request: Request) -> Response:
    if await person_of(site, request) is None:
        return _lead_in(site, request)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    shown = request.query_params.get("v", "")
    news = hub.follow(request.path_params["scheduler"], int(shown) if shown.isdecimal() else None)
    return StreamingResponse(news, media_type="text/event-stream", headers=headers)


async def _not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return PlainTextResponse("There is no such page.", 404)


async def _too_much(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return PlainTextResponse(str(error), 413)
