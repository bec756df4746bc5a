"""The web application: who asks, may they, which page answers."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import parse_qs, urlsplit

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
from triggers.console.access import CLOCKS_APART, SESSION_SECONDS, Person
from triggers.console.live import Hub
from triggers.console.request import Asked
from triggers.console.security import BodyRefused, Guard
from triggers.console.site import STATIC, Site
from triggers.ledger.audit import acting

COOKIE: Final = "triggers_console"
#: Carries what a change brought over to the page that is shown next.
_SAID: Final = "triggers_said"

#: Answers to a changed page for people who look at the same thing are made once.
_SAME_SECONDS: Final = 0.9


def make_app(site: Site) -> ASGIApp:
    """Put the application together."""
    door = _Door(site)
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


async def person_of(site: Site, request: Request) -> Person | None:
    """Who asks: by the header of a trusted proxy, else by the cookie of a session that goes on."""
    return site.proxy.person(request.headers, _peer(request)) or await _of_session(site, request)


async def _of_session(site: Site, request: Request) -> Person | None:
    person = site.sessions.person(request.cookies.get(COOKIE, ""), site.clock())
    # in a thread: Redis may be slow to answer
    return None if person is None or await run_in_threadpool(site.ended.has_ended, person.session) else person


def _peer(request: Request) -> str:
    """The address that is connected: of a browser, or of a proxy."""
    return request.client.host if request.client else ""


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


async def _form(request: Request) -> dict[str, list[str]]:
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return {}
    try:
        # browsers end lines as mail does, also those of fields that nobody has edited
        body = (await request.body()).decode().replace("%0D%0A", "%0A").replace("%0d%0a", "%0A")
        return parse_qs(body, keep_blank_values=True, max_num_fields=2000)
    except ValueError:
        return {}


async def _change(site: Site, request: Request) -> Response:
    """Carry out a verb, and lead back to where it was asked for."""
    person = await person_of(site, request)
    if person is None:
        return _lead_in(site, request)
    form = await _form(request)
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


class _Door:
    """How people get in and out."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def enter(self, request: Request) -> Response:
        """A one-time link."""
        if not self.site.links.use(request.path_params["token"], self.site.clock()):
            words = "This link was used or is too old: the console prints a new one when it is started anew."
            return PlainTextResponse(words, 401)
        return self._begin(request, self.site.owner, "operator", "link")

    async def ask(self, request: Request) -> Response:  # noqa: ARG002
        """The form, or what to do without accounts."""
        text = self.site.render("login.html", wrong="", name="")
        return Response(text, 200 if self.site.sessions.accounts else 401, media_type="text/html")

    async def log_in(self, request: Request) -> Response:
        """Name and password."""
        if not self._is_ours(request):
            return PlainTextResponse("This form was sent by another site.", 403)
        form = await _form(request)
        name, password = ((form.get(field) or [""])[0] for field in ("name", "password"))
        client = self.site.proxy.client(request.headers, _peer(request))
        whose, now = (f"from {client}", f"as {name[:200]}"), self.site.clock()
        wait = self.site.attempts.wait(whose, now)
        if wait > 0:
            text = self.site.render("login.html", wrong=f"Too many attempts: wait {math.ceil(wait)} s.", name=name)
            return Response(text, 429, {"retry-after": str(math.ceil(wait))}, media_type="text/html")
        account = await run_in_threadpool(self.site.sessions.log_in, name, password[:1000])
        if account is None:
            self.site.attempts.failed(whose, now)
            text = self.site.render("login.html", wrong="Name or password is wrong.", name=name)
            return Response(text, 401, media_type="text/html")
        self.site.attempts.succeeded(whose)
        return self._begin(request, account.name, account.role, "account")

    async def log_out(self, request: Request) -> Response:
        """End the session here and on every other console: somebody may have a copy of its cookie."""
        site, form = self.site, await _form(request)
        person, own = await person_of(site, request), await _of_session(site, request)
        if person and not site.sessions.is_form_token(person, (form.get("token") or [""])[0]):
            return PlainTextResponse("This form is of another session: load the page again.", 403)
        if own:
            await run_in_threadpool(site.ended.end, own.session, site.clock(), SESSION_SECONDS + CLOCKS_APART)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def _is_ours(self, request: Request) -> bool:
        """Whether a form without a session comes from our own page, as browsers say."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
        same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
        return same and site in ("same-origin", "none")

    def _begin(self, request: Request, name: str, role: str, way: str) -> Response:
        cookie = self.site.sessions.begin(name, role, way, self.site.clock())  # type: ignore[arg-type]
        answer = RedirectResponse("/", 303)
        secure = self.site.proxy.is_secure(request.headers, _peer(request))
        answer.set_cookie(COOKIE, cookie, max_age=int(SESSION_SECONDS), httponly=True, samesite="strict", secure=secure)
        return answer


async def _not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return PlainTextResponse("There is no such page.", 404)


async def _too_much(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return PlainTextResponse(str(error), 413)
