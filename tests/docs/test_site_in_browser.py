"""The pages of the site in a browser, on a desk and on a telephone: nothing sticks out, nothing is missing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.console.chromium import NARROW, PATIENCE, WIDE, fits, launched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("site")]


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture(scope="module")
def home(site_folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(site_folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def addresses(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html") if path.name != "404.html")


def problems(page: Page) -> list[str]:
    """What a reader would stumble over: what sticks out of its column, and pictures that are not there."""
    found: list[str] = page.evaluate(
        """() => {
            const padding = 6;  // of code at the end of a line
            const column = document.querySelector("article").getBoundingClientRect();
            const beyond = (node) => Math.round(node.getBoundingClientRect().right - column.right);
            const scrolls = (node) => node.closest(".md-typeset__scrollwrap, pre, .md-code__content, .highlight");
            const out = [...document.querySelectorAll("article *")]
                .filter((node) => beyond(node) > padding && !scrolls(node))
                .map((node) => `${beyond(node)} px of <${node.tagName}> stick out: ${node.textContent.slice(0, 60)}`);
            const pictures = [...document.images]
                .filter((picture) => picture.complete && !picture.naturalWidth)
                .map((picture) => `no picture: ${picture.src}`);
            return [...out.slice(0, 3), ...pictures];
        }"""
    )
    return found


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["desk", "telephone"])
def test_every_page_can_be_read(browser: Browser, home: str, site_folder: Path, size: dict[str, int]) -> None:
    context = browser.new_context(viewport=size)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    # not those that the browser aborts on its way to the next page
    page.on("response", lambda got: faults.extend([f"{page.url}: {got.url} is not there"] * (got.status >= 400)))
    for address in addresses(site_folder):
        page.goto(f"{home}/{address}")
        fits(page)
        faults += [f"{address}: {each}" for each in problems(page)]
        assert page.locator("article h1").count() == 1, address
    context.close()
    assert faults == []


def test_a_reader_on_a_telephone_finds_a_page_by_the_menu_and_by_the_search(browser: Browser, home: str) -> None:
    context = browser.new_context(viewport=NARROW)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{home}/index.html")
    page.locator("header label[for=__drawer]").click()
    for part in ("Tutorial", "How-to", "Reference", "Explanation"):
        expect(page.locator(".md-nav--primary").get_by_text(part, exact=True).first).to_be_visible()
    page.locator(".md-nav--primary").get_by_text("Tutorial", exact=True).first.click()
    expect(page.locator("article h1")).to_contain_text("Tutorial")
    page.locator("header label.md-header__button[for=__search]").click()
    # the search listens to keys, and to what stands in the field when its index is there
    expect(page.locator(".md-search-result__meta")).to_have_text("Type to start searching")
    page.get_by_role("textbox", name="Search").press_sequentially("pooling_frequency_minutes")
    page.locator(".md-search-result__link", has_text="Python API").first.click()
    expect(page.locator("article h1")).to_contain_text("Python API")
    context.close()
