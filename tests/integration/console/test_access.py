"""Who gets into the console, and who may change what."""

from __future__ import annotations

import re

import redis
import requests

from tests.integration.console.conftest import PASSWORD, Browser, console_settings, stop_clock
from tests.integration.stages.conftest import World
from triggers.console.access import CLOCKS_APART, SESSION_SECONDS
from triggers.console.ended import EndedSessions
from triggers.console.serve import ConsoleServer, serving


def test_a_link_lets_one_person_in_once(console: ConsoleServer) -> None:
    link = console.link()
    stranger, owner = Browser(console), Browser(console)
    assert stranger.get("/").status_code == 401
    assert owner.session.get(link, timeout=60).status_code == 200
    assert stranger.session.get(link, timeout=60).status_code == 401
    cookie = next(iter(owner.session.cookies))
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "strict"


def test_strangers_get_no_page_no_news_and_no_verb(console: ConsoleServer) -> None:
    stranger = Browser(console)
    home = stranger.home
    for path in (home, f"{home}/history", f"{home}/audit"):
        answer = stranger.get(path, allow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert stranger.get(path, headers={"hx-request": "true"}).status_code == 401
    assert stranger.get(f"{home}/live").status_code == 401
    assert stranger.post(f"{home}/do/pause", {"trigger": "retry"}).status_code == 401
    assert stranger.get("/static/console.css").status_code == 200


def test_a_forged_or_changed_cookie_opens_nothing(console: ConsoleServer, browser: Browser) -> None:
    (cookie,) = browser.session.cookies
    for value in ("", "x", f"{cookie.value}x", cookie.value.replace(".", "", 1)):
        stranger = Browser(console)
        stranger.session.cookies.set(cookie.name, value)
        assert stranger.get("/").status_code == 401, value


def test_accounts_log_in_and_readers_change_nothing(world: World, guarded: ConsoleServer) -> None:
    world.declare(world.trigger(name="retry"))
    olga, rita = Browser(guarded), Browser(guarded)
    assert olga.log_in("olga", "wrong").status_code == 401
    assert olga.log_in("olga").status_code == 200
    assert rita.log_in("rita").status_code == 200
    assert "Pause" not in rita.get(f"{rita.home}/triggers/task:retry").text
    assert rita.do("pause", trigger="task:retry").status_code == 403
    assert not world.ledger.registry.snapshot().entries["task:retry"].paused
    assert "Paused 1 trigger" in olga.do("pause", trigger="task:retry").text
    assert world.ledger.registry.snapshot().entries["task:retry"].paused
    assert world.ledger.audit.read()[0].who == "olga (console)"


def test_with_accounts_links_open_nothing(guarded: ConsoleServer) -> None:
    token = guarded.site.links.new(guarded.site.clock())
    browser = Browser(guarded)
    browser.get(f"/enter/{token}")
    assert browser.get("/", allow_redirects=False).status_code == 303


def test_a_form_without_its_token_or_of_another_session_is_refused(world: World, console: ConsoleServer) -> None:
    world.declare(world.trigger(name="retry"))
    one, two = Browser(console).enter(), Browser(console).enter()
    path = f"{one.home}/do/pause"
    assert one.post(path, {"trigger": "retry"}).status_code == 403
    assert one.post(path, {"trigger": "retry", "token": two.token("/")}).status_code == 403
    assert not world.ledger.registry.snapshot().entries["task:retry"].paused


def test_failed_log_ins_wait_longer_and_longer(guarded: ConsoleServer) -> None:
    browser, now = Browser(guarded), stop_clock(guarded)
    answers = [browser.log_in("olga", "wrong") for _ in range(6)]
    assert [one.status_code for one in answers[:5]] == [401] * 5
    assert answers[5].status_code == 429
    assert int(answers[5].headers["retry-after"]) >= 1
    assert browser.log_in("olga").status_code == 429  # the right password waits as well
    now[0] += int(answers[5].headers["retry-after"])
    assert browser.log_in("olga", "wrong").status_code == 401
    longer = browser.log_in("olga")
    assert int(longer.headers["retry-after"]) > int(answers[5].headers["retry-after"])
    now[0] += int(longer.headers["retry-after"])
    assert browser.log_in("olga").status_code == 200


def test_a_log_in_form_of_another_site_is_refused(guarded: ConsoleServer) -> None:
    data = {"name": "olga", "password": PASSWORD}
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert Browser(guarded).post("/login", data, headers=headers).status_code == 403


def test_only_the_trusted_proxy_names_people(world: World) -> None:
    of = console_settings(world, console_proxy_header="X-User", console_proxy_addresses=("127.0.0.0/8",),
                          console_proxy_operators=("olga",))  # fmt: skip
    with serving(of, "127.0.0.1", 0) as console:
        browser = Browser(console)
        assert browser.get(browser.home, headers={"X-User": "olga"}).status_code == 200
        assert "(reader)" in browser.get(browser.home, headers={"X-User": "rita"}).text
        assert browser.get("/").status_code == 401
    elsewhere = of.model_copy(update={"console_proxy_addresses": ("10.0.0.0/8",)})
    with serving(elsewhere, "127.0.0.1", 0) as console:
        assert Browser(console).get("/", headers={"X-User": "olga"}).status_code == 401


def test_other_host_names_are_refused(console: ConsoleServer, browser: Browser) -> None:
    for name in ("evil.example", "127.0.0.1.evil.example:80", "evil.example:8090", ""):
        assert browser.get("/", headers={"host": name}).status_code == 421, name
    port = console.url.rpartition(":")[2]
    assert browser.get("/", headers={"host": f"localhost:{port}"}).status_code == 401  # its cookie is for 127.0.0.1


def test_every_answer_forbids_scripts_frames_and_other_hosts(console: ConsoleServer, browser: Browser) -> None:
    for path in ("/", browser.home, "/static/console.js", "/nothing", "/login"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    page = browser.get(browser.home)
    assert page.headers["cache-control"] == "no-store"
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert files
    assert all("immutable" in browser.get(file).headers["cache-control"] for file in files)
    assert browser.get("/static/console.css").headers["cache-control"] == "no-store"


def test_what_is_too_large_is_refused(browser: Browser) -> None:
    answer = browser.post(f"{browser.home}/do/apply", {"text": "x" * 1_100_000})
    assert answer.status_code == 413

    def endless() -> object:
        for _ in range(40):
            yield b"x" * 65_536

    url = f"{browser.console.url}{browser.home}/do/apply"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    try:
        answer = browser.session.post(url, data=endless(), headers=headers, timeout=60)
    except requests.ConnectionError:
        return  # hung up in the middle
    assert answer.status_code == 413


def test_leading_back_stays_within_the_console(world: World, browser: Browser) -> None:
    world.declare(world.trigger(name="retry"))
    for back in ("http://evil.example/s/", "//evil.example/s/x", "/\\evil.example", "javascript:alert(1)", "\\\\evil"):
        data = {"token": browser.token("/"), "back": back, "trigger": "task:retry"}
        answer = browser.post(f"{browser.home}/do/pause", data, allow_redirects=False)
        assert answer.headers["location"] == "/", back


def test_log_out_forgets_the_cookie(browser: Browser) -> None:
    browser.post("/logout", {"token": browser.token("/")})
    assert browser.get("/").status_code == 401


def copied(browser: Browser, console: ConsoleServer | None = None) -> Browser:
    """Somebody who has a copy of the cookie."""
    thief = Browser(console or browser.console)
    thief.session.cookies.update(browser.session.cookies.get_dict())
    return thief


def test_a_copied_cookie_opens_nothing_once_its_owner_has_logged_out(world: World, guarded: ConsoleServer) -> None:
    world.declare(world.trigger(name="retry"))
    olga, elsewhere = Browser(guarded), Browser(guarded)
    olga.log_in("olga")
    elsewhere.log_in("olga")
    thief = copied(olga)
    token = thief.token("/")
    olga.post("/logout", {"token": olga.token("/")})
    assert thief.get(thief.home, allow_redirects=False).headers["location"] == "/login"
    assert thief.get(thief.home, headers={"hx-request": "true"}).status_code == 401
    assert thief.get(f"{thief.home}/live").status_code == 401
    assert thief.post(f"{thief.home}/do/pause", {"token": token, "trigger": "task:retry"}).status_code == 401
    assert not world.ledger.registry.snapshot().entries["task:retry"].paused
    assert elsewhere.get(elsewhere.home).status_code == 200, "another session of the same account goes on"


def test_other_consoles_and_the_next_one_know_who_has_logged_out(world: World, guarded: ConsoleServer) -> None:
    olga = Browser(guarded)
    olga.log_in("olga")
    with serving(guarded.site.settings, "127.0.0.1", 0) as second:
        assert copied(olga, second).get("/").status_code == 200
        olga.post("/logout", {"token": olga.token("/")})
        assert copied(olga, second).get("/", allow_redirects=False).status_code == 303
    with serving(guarded.site.settings, "127.0.0.1", 0) as restarted:
        assert copied(olga, restarted).get("/", allow_redirects=False).status_code == 303
    (name,) = world.ledger.store.client.keys("*console_ended*")
    assert SESSION_SECONDS < world.ledger.store.client.ttl(name) <= SESSION_SECONDS + CLOCKS_APART


def test_logging_out_takes_effect_in_one_console_also_without_redis() -> None:
    away = redis.Redis.from_url("unix:///nowhere/redis.sock")
    ended = EndedSessions(lambda: [away])
    ended.end("a", 1000.0, 60.0)
    assert (ended.has_ended("a"), ended.has_ended("b")) == (True, False)
