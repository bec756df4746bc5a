"""Pages that stay open: they follow what happens, keep the focus of who reads them, and outlive a restart of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import redis_binaries
from tests.integration.cli_verbs.conftest import build
from tests.integration.console.chromium import PATIENCE, Person
from tests.integration.console.conftest import console_settings
from tests.integration.console.scene import Scene
from tests.integration.stages.conftest import World
from triggers.base.settings import Settings
from triggers.base.settings import settings as settings_of_process
from triggers.console.serve import serving
from triggers.ledger import connect
from triggers.local.redis_server import PrivateRedis
from triggers.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("chromium")]

SECONDS = float(PATIENCE)


def test_a_page_follows_what_happens(scene: Scene, person: Person) -> None:
    page = person.enter()
    page.goto(f"{person.home}/history?what=launched")
    rows = page.locator("tbody tr")
    known = rows.count()
    scene.world.fail_task(name="one more", tags=["report"])
    scene.world.step()
    expect(rows).to_have_count(known + 1, timeout=SECONDS)


def test_an_update_keeps_the_focus_and_waits_for_who_is_choosing(scene: Scene, person: Person) -> None:
    page = person.enter()
    link = page.get_by_role("link", name="one at a time", exact=True).first
    link.focus()
    scene.world.fail_task(name="one more", tags=["report"])
    scene.world.step()
    reported = page.locator("tbody tr", has_text="report failed retries").locator(".number").first
    expect(reported).to_have_text("2", timeout=SECONDS)
    expect(link).to_be_focused()
    box = page.get_by_label("Choose one at a time")
    box.check()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "hx-request" in request.headers else None)
    scene.world.fail_task(name="and one", tags=["report"])
    scene.world.step()
    page.wait_for_timeout(2500)  # longer than an update takes to come
    expect(box).to_be_checked()
    assert asked == []


def test_a_hidden_page_asks_for_nothing(scene: Scene, person: Person) -> None:
    page = person.enter()
    expect(page.locator("#live")).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    changed = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "true" + changed)
    page.evaluate("1")  # what it has asked for until then is known
    asked.clear()
    scene.world.fail_task(name="one more", tags=["report"])
    scene.world.step()
    page.wait_for_timeout(2500)  # longer than an update takes to come
    # the picture of a page that came just before may still be taken from the cache
    assert [url for url in asked if "/static/" not in url] == []
    page.evaluate(hide % "false" + changed)
    reported = page.locator("tbody tr", has_text="report failed retries").locator(".number").first
    expect(reported).to_have_text("2", timeout=SECONDS)


@pytest.fixture
def own(
    server: Sandbox, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[PrivateRedis, World]]:
    """A scheduler on a Redis that may be killed."""
    redis = PrivateRedis(tmp_path / "redis", server=next(iter(redis_binaries().values())))
    client = connect(redis.start())
    server.control.reset()
    for name, value in {**server.env(), "TRIGGERS_REDIS_URL": redis.url, "TRIGGERS_WHO": "tester"}.items():
        monkeypatch.setenv(name, value)
    settings_of_process.cache_clear()
    world = build(server, client, settings)
    yield redis, world
    world.client.close()
    client.close()
    redis.stop()
    settings_of_process.cache_clear()


def test_a_page_left_open_outlives_a_restart_of_everything(
    own: tuple[PrivateRedis, World], chromium: Browser, tmp_path: Path
) -> None:
    redis, world = own
    world.declare(world.trigger(name="retry failed training"))
    world.step()
    of = console_settings(world, state_folder=tmp_path / "console")
    with serving(of, "127.0.0.1", 0) as console:
        port = int(console.url.rpartition(":")[2])
        person = Person(chromium, console)
        page = person.enter()
        expect(page.get_by_role("link", name="retry failed training")).to_be_visible()
        redis.stop()
        expect(page.get_by_text("Redis gives no answer")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_text("The console does not answer.")).to_be_visible(timeout=SECONDS)
    redis.start()
    world.ledger.know_run()
    world.fail_task(name="while nobody looked")
    world.step()
    with serving(of, "127.0.0.1", port) as console:
        # the same tab, without a click: its session is still good, and it shows what happened meanwhile
        fired = page.locator("tbody tr", has_text="retry failed training").locator(".number").first
        expect(fired).to_have_text("1", timeout=SECONDS)
        expect(page.get_by_text("The console does not answer.")).to_be_hidden()
        person.leave()
    assert [fault for fault in person.faults if "htmx" not in fault and "Status Error Code 503" not in fault] == []


def test_an_update_keeps_what_was_chosen_in_a_list(scene: Scene, person: Person) -> None:
    page = person.enter()
    length = page.get_by_label("Mute for")
    length.select_option("for 1 day")
    page.get_by_role("link", name="one at a time", exact=True).first.focus()
    scene.world.fail_task(name="one more", tags=["report"])
    scene.world.step()
    page.wait_for_timeout(2500)  # longer than an update takes to come
    expect(length).to_have_value("1d")


def test_an_error_replaces_a_page_in_place_until_it_is_over(scene: Scene, person: Person) -> None:
    """The firing of an open page is not kept any more, and then it is."""
    page = person.enter()
    page.goto(f"{person.home}/firings/{scene.held}")
    ledger = scene.world.ledger
    key = ledger.keys.firing(scene.held)
    ledger.store.client.rename(key, "aside")
    scene.world.fail_task(name="one more", tags=["report"])
    scene.world.step()
    expect(page.get_by_text("is not kept")).to_be_visible(timeout=SECONDS)
    ledger.store.client.rename("aside", key)
    scene.world.fail_task(name="and one", tags=["report"])
    scene.world.step()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Firing", timeout=SECONDS)
    person.faults[:] = [fault for fault in person.faults if "Status Error Code 400" not in fault]


def test_what_is_no_page_replaces_nothing(scene: Scene, person: Person) -> None:
    """A console that is too busy, or a proxy, answers an update with a line of text."""
    page = person.enter()
    page.goto(f"{person.home}/history")
    page.route("**/history", lambda route: route.fulfill(status=503, body="Service Unavailable"))
    rows = page.locator("tbody tr").count()
    scene.world.fail_task(name="one more", tags=["report"])
    scene.world.step()
    expect(page.get_by_text("The console does not answer.")).to_be_visible(timeout=SECONDS)
    assert page.locator("tbody tr").count() == rows
    page.unroute("**/history")
    scene.world.fail_task(name="and one", tags=["report"])
    scene.world.step()
    expect(page.get_by_text("The console does not answer.")).to_be_hidden(timeout=SECONDS)
    person.faults[:] = [fault for fault in person.faults if "Status Error Code 503" not in fault]
