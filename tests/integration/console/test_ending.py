"""The console ends soon and quietly, however many pages are being made, and whatever they wait for."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.eventually import eventually
from tests.integration.console.conftest import Browser, console_settings
from tests.integration.console.sockets import SECONDS, connection, ends, head, through
from tests.integration.stages.conftest import World
from triggers.console import listener, pages
from triggers.console.request import Asked
from triggers.console.serve import ConsoleServer, serving

until = partial(eventually, seconds=SECONDS)


class SlowPage:
    """A page that is made until it is released."""

    def __init__(self) -> None:
        self.begun, self.released = 0, threading.Event()

    def __call__(self, asked: Asked) -> Any:
        self.begun += 1
        assert self.released.wait(SECONDS)
        return asked.page("error.html", words="made", hint="", again=False)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowPage]:
    page = SlowPage()
    monkeypatch.setitem(pages.PAGES, "/s/{scheduler}/audit", page)
    yield page
    page.released.set()


@pytest.fixture
def ending(world: World, slow: SlowPage) -> Iterator[ConsoleServer]:
    """A console that the test ends."""
    world.declare(*(world.trigger(name=f"trigger {number}") for number in range(60)))
    with serving(console_settings(world), "127.0.0.1", 0) as console:
        yield console


class Crowd:
    """People who ask for pages in threads; what each of them got is kept, "" for a connection that was closed."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.answers, self.ended = browser, list[int | str](), threading.Event()
        self.threads: list[threading.Thread] = []

    def ask(self, path: str, *, again: bool = False) -> None:
        self.threads.append(threading.Thread(target=self._ask, args=(path, again), daemon=True))
        self.threads[-1].start()

    def _ask(self, path: str, again: bool) -> None:
        cookies = self.browser.session.cookies
        with requests.Session() as session:
            while not self.ended.is_set():
                try:
                    answer = session.get(self.browser.console.url + path, cookies=cookies, timeout=SECONDS)
                    self.answers.append(answer.status_code)
                except requests.RequestException:
                    self.answers.append("")
                if not again or self.answers[-1] != 200:
                    return

    def join(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(SECONDS)
            assert not thread.is_alive()


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def stopped(console: ConsoleServer) -> None:
    """Stop it, and wait until its thread has ended; as long as a busy machine takes."""
    console.stop()
    for thread in threading.enumerate():
        if thread.name == "console":
            thread.join(SECONDS)
            assert not thread.is_alive()


def test_a_busy_console_ends_without_an_error_for_each_page(
    ending: ConsoleServer, slow: SlowPage, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(ending).enter()
    stuck, busy = Crowd(browser), Crowd(browser)
    news = [connection(ending) for _ in range(10)]
    for one in news:
        one.sendall(head(browser, "GET", f"{browser.home}/live"))
        through(one, b"event: open")
    for _ in range(5):
        stuck.ask(f"{browser.home}/audit")
    for _ in range(20):
        busy.ask(browser.home, again=True)
    until(lambda: slow.begun == 5 and len(busy.answers) >= 20)
    stopped(ending)
    assert not slow.released.is_set()
    stuck.join()
    busy.join()
    for one in news:
        ends(one)
        one.close()
    assert stuck.answers == [503] * 5
    assert set(busy.answers) <= {200, 503, ""}
    assert faults(caplog) == []


def test_a_page_that_is_being_made_is_finished(
    ending: ConsoleServer, slow: SlowPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "GRACE_SECONDS", SECONDS)
    browser = Browser(ending).enter()
    crowd = Crowd(browser)
    crowd.ask(f"{browser.home}/audit")
    until(lambda: slow.begun == 1)
    ending.stop()
    until(lambda: _is_closed(ending))
    slow.released.set()
    crowd.join()
    stopped(ending)
    assert crowd.answers == [200]
    assert faults(caplog) == []


def _is_closed(console: ConsoleServer) -> bool:
    """Whether it takes no new connections."""
    with contextlib.suppress(OSError):
        connection(console).close()
        return False
    return True


def test_what_ending_may_take_is_two_seconds() -> None:
    assert listener.GRACE_SECONDS + listener._LAST_SECONDS <= 1.5


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_console_whose_pages_wait_for_clearml_ends_at_a_signal(
    world: World, redis_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    world.declare(world.trigger(name="retry"))
    own = {"TRIGGERS_REDIS_URL": redis_url, "TRIGGERS_STATE_FOLDER": str(tmp_path), "NO_PROXY": "127.0.0.1",
           "TRIGGERS_REQUEST_TIMEOUT_SECONDS": "600"}  # fmt: skip
    command = [sys.executable, "-m", "triggers", "console", "--port", "0"]
    with (tmp_path / "err").open("w+") as err:
        running = subprocess.Popen(command, env=os.environ | own, stderr=err, stdin=subprocess.DEVNULL)
    try:
        until(lambda: "console at" in (tmp_path / "err").read_text())
        link = re.search(r"http://\S+", (tmp_path / "err").read_text())
        assert link
        session = requests.Session()
        home = session.get(link[0], timeout=SECONDS).url
        hold = world.sandbox.control.fault("hold")
        paths = [f"/objects/{digit * 32}" for digit in "012"]
        waiting = [threading.Thread(target=_get, args=(session, home + path), daemon=True) for path in paths]
        for one in waiting:
            one.start()
        until(lambda: world.sandbox.control.held(hold) > 0)
        running.send_signal(number)
        assert running.wait(SECONDS) == 0  # as long as a busy machine takes; ClearML would take 600 s
    finally:
        world.sandbox.control.clear_faults()
        running.kill()
        running.wait()
    said = (tmp_path / "err").read_text()
    assert said.count("\n") == 1, said


def _get(session: requests.Session, url: str) -> None:
    with contextlib.suppress(requests.RequestException):
        session.get(url, timeout=SECONDS)
