"""Nobody changes anything without the role, the session's token and a question where it cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.console.conftest import PASSWORD, Browser, console_settings, stop_clock
from tests.integration.console.looks import addresses
from tests.integration.console.scene import Scene, play
from tests.integration.stages.conftest import World
from triggers.console.access import LINK_SECONDS, SESSION_SECONDS
from triggers.console.passwords import hashed
from triggers.console.serve import ConsoleServer, serving
from triggers.console.verbs import VERBS


def forms(scene: Scene) -> dict[str, dict[str, Any]]:
    """What the form of each verb sends, so that it would be carried out."""
    retry, muted = "task:retry failed training", "model:evaluate published models"
    paused, hold = "dataset:retrain on new data", f"slot:{scene.slot}"
    launch = f"schedule_task_id: {scene.world.base}, schedule_queue: default"
    text = f"triggers:\n- {{kind: task, name: new, trigger_on_status: [failed], {launch}}}\n"
    return {
        "pause": {"trigger": retry}, "resume": {"trigger": paused}, "mute": {"trigger": retry, "for": "1h"},
        "unmute": {"trigger": muted}, "delete": {"trigger": "task:clean up drafts"},
        "fire": {"trigger": retry, "object": scene.failed_task}, "apply": {"text": text},
        "retry": {"firing": scene.dead}, "retry-dead": {"firing": scene.dead}, "drop-dead": {"firing": scene.dead},
        "retry-failing": {"firing": scene.failing}, "release-held": {"hold": hold, "firing": scene.held},
        "drop-held": {"hold": hold, "firing": scene.held}, "release-slot": {"slot": scene.slot, "force": "1"},
    }  # fmt: skip


def test_each_verb_is_refused_to_readers_strangers_and_other_sites(world: World, guarded: ConsoleServer) -> None:
    scene = play(world)
    olga, rita, stranger = Browser(guarded), Browser(guarded), Browser(guarded)
    olga.log_in("olga")
    rita.log_in("rita")
    wanted = forms(scene)
    assert wanted.keys() == VERBS.keys()
    known = world.ledger.audit.head()
    home, own, other = olga.home, rita.token("/"), olga.token("/")
    for verb, fields in wanted.items():
        path, fields = f"{home}/do/{verb}", {**fields, "sure": "1"}
        assert rita.post(path, {**fields, "token": own}).status_code == 403, verb
        assert rita.post(path, {**fields, "token": other}).status_code == 403, verb
        assert stranger.post(path, {**fields, "token": other}).status_code == 401, verb
        for token in ("", own, "0" * 64, "\u00e4"):
            assert olga.post(path, {**fields, "token": token}).status_code == 403, verb
        assert olga.get(path).status_code in (404, 405), verb
    assert world.ledger.audit.head() == known


def test_each_verb_is_noted_with_the_name_of_the_person(world: World, guarded: ConsoleServer) -> None:
    scene = play(world)
    olga = Browser(guarded)
    olga.log_in("olga")
    for verb, fields in forms(scene).items():
        if verb in ("retry-dead", "drop-dead", "drop-held"):  # what they would change is gone by then
            continue
        known = world.ledger.audit.head().seq
        answer = olga.do(verb, sure=True, **fields)
        assert answer.status_code == 200, (verb, answer.text)
        assert world.ledger.audit.head().seq > known, verb
        assert world.ledger.audit.read(count=1)[0].who == "olga (console)", verb


@pytest.fixture
def clocked(world: World) -> Iterator[tuple[ConsoleServer, list[float]]]:
    """A console whose clock for sessions and links stands where the test puts it."""
    with serving(console_settings(world), "127.0.0.1", 0) as console:
        yield console, stop_clock(console)


def test_a_session_ends(clocked: tuple[ConsoleServer, list[float]]) -> None:
    console, now = clocked
    browser = Browser(console).enter()
    now[0] += SESSION_SECONDS - 60
    assert browser.get("/").status_code == 200
    now[0] += 120
    assert browser.get("/").status_code == 401
    assert browser.get(f"{browser.home}/live").status_code == 401
    now[0] -= 2 * SESSION_SECONDS
    assert browser.get("/").status_code == 401, "from the future"


def test_a_link_ends(clocked: tuple[ConsoleServer, list[float]]) -> None:
    console, now = clocked
    link = console.link()
    now[0] += LINK_SECONDS + 1
    assert Browser(console).session.get(link, timeout=60).status_code == 401


def test_another_password_ends_the_sessions_of_an_account(world: World) -> None:
    users = (f"olga:operator:{hashed(PASSWORD)}",)
    of = console_settings(world, console_users=users)
    with serving(of, "127.0.0.1", 0) as console:
        browser = Browser(console)
        browser.log_in("olga")
        assert browser.get("/").status_code == 200
    again = [(users, 200), ((f"olga:operator:{hashed('another password')}",), 401)]
    for changed, code in [*again, ((f"olga:reader:{users[0].partition(':operator:')[2]}",), 401)]:
        with serving(of.model_copy(update={"console_users": changed}), "127.0.0.1", 0) as console:
            later = replace(browser, console=console)
            assert later.get(f"{later.home}/live", headers={"accept": "*/*"}, stream=True).status_code == code


@pytest.fixture
def behind(world: World) -> Iterator[ConsoleServer]:
    """A console with accounts behind a proxy on this machine, which speaks TLS with browsers."""
    users = (f"olga:operator:{hashed(PASSWORD)}", f"rita:reader:{hashed(PASSWORD)}")
    of = console_settings(world, console_users=users, console_proxy_addresses=("127.0.0.1",))
    with serving(of, "127.0.0.1", 0) as console:
        yield console


def log_in(console: ConsoleServer, name: str, password: str, **headers: str) -> Any:
    data = {"name": name, "password": password}
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    return Browser(console).post("/login", data, headers=sent, allow_redirects=False)


def test_behind_a_proxy_each_address_waits_for_itself(behind: ConsoleServer) -> None:
    """What a client itself claims about its address is left aside."""
    stop_clock(behind)
    for number in range(5):
        claimed = f"198.51.100.{number}, 203.0.113.7"
        assert log_in(behind, f"guess {number}", "wrong", x_forwarded_for=claimed).status_code == 401
    assert log_in(behind, "olga", PASSWORD, x_forwarded_for="192.0.2.1, 203.0.113.7").status_code == 429
    assert log_in(behind, "olga", PASSWORD, x_forwarded_for="203.0.113.8").status_code == 303


def test_without_a_proxy_nobody_chooses_their_address(guarded: ConsoleServer) -> None:
    stop_clock(guarded)
    for number in range(5):
        assert log_in(guarded, f"guess {number}", "wrong", x_forwarded_for=f"203.0.113.{number}").status_code == 401
    assert log_in(guarded, "olga", PASSWORD, x_forwarded_for="203.0.113.9").status_code == 429


def test_a_cookie_behind_tls_is_sent_over_tls_alone(behind: ConsoleServer, guarded: ConsoleServer) -> None:
    for console, proto, secure in ((behind, "https", True), (behind, "http", False), (guarded, "https", False)):
        cookie = log_in(console, "olga", PASSWORD, x_forwarded_proto=proto).headers["set-cookie"]
        assert ("; secure" in cookie.lower()) is secure, (proto, cookie)


def test_a_header_that_comes_twice_names_nobody(world: World) -> None:
    """A proxy that adds its header to that of the person, in place of replacing it."""
    of = console_settings(world, console_proxy_header="X-User", console_proxy_addresses=("127.0.0.0/8",),
                          console_proxy_operators=("olga",))  # fmt: skip
    from http.client import HTTPConnection

    with serving(of, "127.0.0.1", 0) as console:
        port = int(console.url.rpartition(":")[2])
        for names, code in ((["olga"], 200), (["olga", "rita"], 401), (["rita", "olga"], 401), ([""], 401)):
            asked = HTTPConnection("127.0.0.1", port, timeout=60)
            asked.putrequest("GET", f"{Browser(console).home}/audit")
            for name in names:
                asked.putheader("X-User", name)
            asked.endheaders()
            assert asked.getresponse().status == code, names
            asked.close()


SECRETS = {
    "CLEARML_API_SECRET_KEY": "", "HOOK_SECRET": "whsec_c2VjcmV0IG9mIGEgaG9vayAxMjM=", "HOOK_TOKEN": "tok-5f1c9a77e2",
    "TRIGGERS_SIGNING_KEY": "signing-key-4f6e0c1b9a8d7e6f5a4b",
}  # fmt: skip
REDIS_PASSWORD = "redis-pass-81d2"


def test_no_page_shows_a_secret(world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of hooks, of Redis, of ClearML, of accounts or of sessions; not when Redis refuses, either."""
    scene = play(world)
    for name, value in SECRETS.items():
        if value:
            monkeypatch.setenv(name, value)
    hook = {"type": "webhook", "url": "https://127.0.0.1:9/hook?token=${env:HOOK_TOKEN}", "secret": "env:HOOK_SECRET",
            "headers": {"authorization": "Bearer ${env:HOOK_TOKEN}"}}  # fmt: skip
    world.declare(world.trigger(name="retry failed training"), world.trigger(name="hook", actions=[hook]))
    world.fail_task(name="for the hook")
    world.step()
    command: Any = world.ledger.store.client.execute_command
    command("ACL", "SETUSER", "console", "on", f">{REDIS_PASSWORD}", "~*", "&*", "+@all")
    hash_ = hashed(PASSWORD)
    of = console_settings(
        world, redis_url=redis_url.replace("://", f"://console:{REDIS_PASSWORD}@"),
        console_users=(f"olga:operator:{hash_}",),
    )  # fmt: skip
    hidden = [*filter(None, SECRETS.values()), REDIS_PASSWORD, hash_, PASSWORD, world.sandbox.secret_key]
    with serving(of, "127.0.0.1", 0) as console:
        olga = Browser(console)
        olga.log_in("olga")
        home = olga.home
        pages = [*addresses(scene).values(), "/triggers/task:hook", "/edit/task:hook", "/history?trigger=hook"]
        pages += [f"/firings/{one.firing}" for one in world.history() if one.trigger == "task:hook"][:3]
        for page in pages:
            _is_clean(olga.get(home + page).text, hidden, page)
        _is_clean(olga.do("fire", trigger="task:hook", object=scene.failed_task).text, hidden, "question")
        command("ACL", "SETUSER", "console", "off", "resetpass")
        command("CLIENT", "KILL", "USER", "console")
        for page in ("", "/history", "/audit"):
            answer = olga.get(home + page)
            assert answer.status_code == 503, answer.text
            _is_clean(answer.text, hidden, page)
    command("ACL", "DELUSER", "console")


def _is_clean(text: str, hidden: list[str], page: str) -> None:
    assert [secret for secret in hidden if secret in text] == [], page
