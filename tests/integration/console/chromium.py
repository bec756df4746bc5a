"""A real browser for tests: Debian's Chromium, driven by Playwright, which downloads no browser of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from triggers.console.serve import ConsoleServer

#: What a person has in front of them, and on a telephone.
WIDE: Final = {"width": 1280, "height": 860}
NARROW: Final = {"width": 390, "height": 844}

#: Rules of axe that hold: WCAG 2.2 A and AA, and good practice.
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

#: Milliseconds that anything may take on a busy machine.
PATIENCE: Final = 60_000
expect.set_options(timeout=PATIENCE)

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def binary() -> str:
    """The browser of this machine; without one, a test fails in CI and is skipped on a laptop."""
    found = next(filter(None, map(shutil.which, _NAMES)), "")
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("chromium is not installed: apt-get install chromium")
    return found


def launched() -> Iterator[Browser]:
    """A browser that runs, for a fixture."""
    with sync_playwright() as playwright:
        # the sandbox of Chromium needs rights that containers lack; pages here are our own
        browser = playwright.chromium.launch(executable_path=binary(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Person:
    """Somebody in front of a browser; what goes wrong behind a page is kept in `faults`."""

    browser: Browser
    console: ConsoleServer
    faults: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def home(self) -> str:
        (shown,) = self.console.site.schedulers.all()
        return f"{self.console.url}/s/{shown.id}"

    def page(self, **options: Any) -> Page:
        """A tab of a fresh browser in which nobody is logged in yet."""
        context = self.browser.new_context(**{"viewport": WIDE, "locale": "en-GB"} | options)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._hear(page, said))
        page.on("request", lambda asked: self._see(page, asked.url))
        return page

    def enter(self, **options: Any) -> Page:
        """A tab on the overview, by a one-time link."""
        page = self.page(**options)
        page.goto(self.console.link())
        return page

    def _hear(self, page: Page, said: Any) -> None:
        # what a browser itself reports of an answer that is an error is not a fault of a page
        if said.type in ("error", "warning") and not said.text.startswith("Failed to load resource"):
            self.faults.append(f"{page.url}: {said.text}")

    def _see(self, page: Page, url: str) -> None:
        if not url.startswith((f"{self.console.url}/", "data:", "about:")):
            self.faults.append(f"{page.url} asks for {url}")

    def leave(self) -> None:
        for context in self.contexts:
            context.close()


def accessible(page: Page) -> None:
    """Whether axe finds nothing on a page."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": _RULES}})
    assert not found.response["violations"], f"{page.url}\n{found.generate_report()}"


def fits(page: Page) -> None:
    """Whether a page is as wide as its window: what is wider scrolls within itself."""
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= seen, f"{page.url} is {wide} wide in {seen}"


def said(page: Page, words: str) -> None:
    """Whether a page says what came of a change."""
    expect(page.get_by_role("status")).to_contain_text(words)
