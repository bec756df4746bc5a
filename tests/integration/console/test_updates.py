"""Updates of open pages: made once for all tabs of a person, and as often as their cost allows."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.console.conftest import Browser, console_settings
from tests.integration.stages.conftest import World
from triggers.console import live, pages
from triggers.console.live import Hub
from triggers.console.request import Asked
from triggers.console.serve import ConsoleServer, serving

SECONDS = 60.0
UPDATE = {"hx-request": "true"}


class CountedPage:
    """A page that waits to be released, and counts how often it was made."""

    def __init__(self) -> None:
        self.made, self.begun, self.released = 0, threading.Event(), threading.Event()

    def __call__(self, asked: Asked) -> Any:
        self.made += 1
        self.begun.set()
        assert self.released.wait(SECONDS)
        return asked.page("error.html", words=f"made {self.made}", hint="", again=True)


def test_an_update_is_made_once_for_all_tabs_of_a_person(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    page = CountedPage()
    monkeypatch.setitem(pages.PAGES, "/s/{scheduler}/audit", page)
    with serving(console_settings(world), "127.0.0.1", 0) as console:
        one, other = Browser(console).enter(), Browser(console).enter()
        path, answers = f"{one.home}/audit", list[str]()

        def ask(browser: Browser) -> None:
            answers.append(browser.get(path, headers=UPDATE).text)

        first = threading.Thread(target=ask, args=(one,))
        first.start()
        assert page.begun.wait(SECONDS)
        tabs = [threading.Thread(target=ask, args=(one,)) for _ in range(8)]
        for tab in tabs:
            tab.start()
        # that of another person has their own token, and is another page
        stranger = threading.Thread(target=ask, args=(other,))
        stranger.start()
        while page.made < 2:
            assert stranger.is_alive()
        page.released.set()
        for thread in (first, stranger, *tabs):
            thread.join(SECONDS)
    assert len(answers) == 10
    assert page.made == 2


def test_with_many_pages_open_each_waits_longer_and_within_bounds(console: ConsoleServer) -> None:
    hub = Hub(console.site.schedulers)
    assert hub.pause_seconds == live.LOOK_SECONDS
    hub._pages, hub._cost = 50, 0.004
    assert hub.pause_seconds == pytest.approx(5.0)
    hub._cost = 10.0
    assert hub.pause_seconds == live.MOST_SECONDS


def test_a_page_that_waits_for_its_turn_is_not_silent(console: ConsoleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would end it."""
    monkeypatch.setattr(live, "SILENCE_SECONDS", 0.01)
    hub = Hub(console.site.schedulers)
    hub._pages, hub._cost = 50, 10.0
    (shown,) = console.site.schedulers.all()

    async def heard() -> list[str]:
        news = hub.follow(shown.id, shown=-1)
        found = [await anext(news) for _ in range(4)]
        await news.aclose()  # type: ignore[attr-defined]
        return found

    with ThreadPoolExecutor() as apart:  # a browser of other tests has a loop in this thread
        lines = apart.submit(asyncio.run, heard()).result()
    assert [line.partition("\n")[0] for line in lines] == ["retry: 2000", "event: changed", ": ", ": "]
