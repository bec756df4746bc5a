"""Every page in a real browser: wide and narrow, light and dark, with and without script, checked by axe."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.integration.console.chromium import NARROW, WIDE, Person, accessible, fits
from tests.integration.console.conftest import PASSWORD
from tests.integration.console.looks import addresses
from tests.integration.console.scene import Scene
from tests.integration.stages.conftest import World
from triggers.console.pages import PAGES
from triggers.console.serve import ConsoleServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("chromium")]

#: How people look at it.
LOOKS = [("light", WIDE), ("dark", NARROW)]


@pytest.mark.parametrize(("scheme", "size"), LOOKS, ids=["light and wide", "dark and narrow"])
def test_every_page_is_accessible_and_fits(scene: Scene, person: Person, scheme: str, size: dict[str, int]) -> None:
    page = person.enter(viewport=size, color_scheme=scheme)
    for name, address in addresses(scene).items():
        page.goto(person.home + address)
        expect(page.locator("h1")).to_have_count(1)
        accessible(page)
        fits(page)
        assert page.title(), name
    opened = {
        re.sub(r"^/s/{scheduler}", "", address) for address in PAGES if address not in ("/", "/s/{scheduler}/find")
    }
    looked_at = " ".join(addresses(scene).values())
    assert [address for address in opened if address.partition("{")[0].rstrip("/") not in looked_at] == []


def test_without_script_every_page_can_be_read_and_changed(scene: Scene, person: Person) -> None:
    page = person.enter(java_script_enabled=False)
    for name, address in addresses(scene).items():
        page.goto(person.home + address)
        assert len(page.locator("main").inner_text()) > 40, name
    page.goto(f"{person.home}/triggers/task:retry failed training")
    assert re.search(r"20\d\d-\d\d-\d\d .* UTC", page.locator("time").first.get_attribute("title") or "")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("Paused 1 trigger.")
    page.goto(f"{person.home}/history")
    page.locator("select[name=what]").select_option("dead")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(3)


def test_times_are_in_the_zone_of_the_reader(scene: Scene, person: Person) -> None:
    page = person.enter(timezone_id="Asia/Kolkata")
    page.goto(f"{person.home}/triggers/schedule:nightly evaluation")
    # 02:30 in Berlin, in winter and in summer
    expect(page.locator("td time").first).to_contain_text(re.compile(r"0(7:00|6:00):00"))
    expect(page.locator("tbody tr").first.locator("td").last).to_contain_text("02:30")
    page.goto(f"{person.home}/objects/{scene.launched_task}")
    at = page.locator("summary time").first.get_attribute("datetime") or ""
    shown = page.evaluate(
        "(at) => new Date(at).toLocaleString('en-GB', {dateStyle: 'medium', timeStyle: 'medium'})", at
    )
    expect(page.locator("summary time").first).to_have_text(shown)


def test_color_is_never_the_only_sign(scene: Scene, person: Person) -> None:
    page = person.enter()
    for address in addresses(scene).values():
        page.goto(person.home + address)
        for badge in page.locator(".badge").all():
            words = badge.text_content() or ""
            assert len(words.strip()) >= 3, f"{page.url}: {words!r}"
            assert badge.locator("[aria-hidden]").count() == 1, words


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_doors_are_accessible(chromium: object, guarded: ConsoleServer, scheme: str) -> None:
    person = Person(chromium, guarded)  # type: ignore[arg-type]
    page = person.page(color_scheme=scheme, viewport=NARROW)
    page.goto(guarded.url)
    accessible(page)
    page.get_by_label("Name").fill("rita")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    accessible(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("rita (reader)")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    person.leave()
    # a page that hears of news in the moment of the log-out
    assert [fault for fault in person.faults if "Status Error Code 401" not in fault] == []


#: Picture of the docs → address, size of the window, and scheme.
PICTURES = {
    "console-overview": ("overview", WIDE, "light"),
    "console-firing": ("firing", WIDE, "light"),
    "console-object": ("object", WIDE, "dark"),
}


def test_pages_of_the_console_can_be_looked_at(scene: Scene, person: Person, tmp_path: Path) -> None:
    """With TRIGGERS_TEST_PICTURES=docs/img the pictures of the docs are made anew."""
    folder = Path(os.environ.get("TRIGGERS_TEST_PICTURES", tmp_path))
    for name, (address, size, scheme) in PICTURES.items():
        page = person.enter(viewport=size, color_scheme=scheme)
        page.goto(person.home + addresses(scene)[address])
        expect(page.locator("time").first).not_to_have_attribute("title", re.compile("UTC$"))  # the script has run
        page.screenshot(path=folder.resolve() / f"{name}.png", animations="disabled")
        assert (folder / f"{name}.png").stat().st_size > 20_000


def test_hostile_names_run_nothing_and_keep_the_layout(world: World, person: Person) -> None:
    markup = "</title><script>alert(1)</script><img src=x onerror=alert(2)>"
    turned = "safe\u202egnp.exe\u2066"
    world.declare(world.trigger(name="retry", action={"queue": markup[:40]}))
    world.step()
    task = world.fail_task(name=f"{markup} {turned} {'x' * 10_000}", tags=[markup, turned, "y" * 10_000])
    world.step()
    firing = world.history()[0].firing
    page = person.enter(viewport=NARROW)
    page.on("dialog", lambda dialog: person.faults.append(dialog.message))
    for address in (
        "",
        "/history",
        "/waiting?tab=failing",
        f"/objects/{task}",
        f"/firings/{firing}",
        "/test/task:retry",
    ):
        page.goto(person.home + address)
        fits(page)
        assert page.locator("main img, main script").count() == 0
    page.goto(f"{person.home}/objects/{task}")
    accessible(page)
