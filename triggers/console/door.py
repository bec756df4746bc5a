"""The door: who asks, and how people get in and out."""

from __future__ import annotations

import math
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from triggers.console.access import CLOCKS_APART, SESSION_SECONDS, Person
from triggers.console.site import Site

COOKIE: Final = "triggers_console"


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


async def form_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form that was sent, none of anything else."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return {}
    try:
        # browsers end lines as mail does, also those of fields that nobody has edited
        body = (await request.body()).decode().replace("%0D%0A", "%0A").replace("%0d%0a", "%0A")
        return parse_qs(body, keep_blank_values=True, max_num_fields=2000)
    except ValueError:
        return {}


class Door:
    """How people get in and out."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def enter(self, request: Request) -> Response:
        """A one-time link."""
        if not self.site.links.use(request.path_params["token"], self.site.clock()):
            words = "This link was used or is too old: press Enter in the terminal of the console for a new one."
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
        form = await form_of(request)
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
        site, form = self.site, await form_of(request)
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
