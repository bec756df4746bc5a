"""A console over a scheduler with a past, on a real Redis and the sandbox, asked over HTTP as a browser does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser as Chromium

from tests.integration.cli_verbs.conftest import server as server
from tests.integration.cli_verbs.conftest import world as world
from tests.integration.console.chromium import Person, launched
from tests.integration.console.scene import Scene, play
from tests.integration.stages.conftest import World
from triggers.base.settings import Settings, settings
from triggers.console.passwords import hashed
from triggers.console.serve import ConsoleServer, serving

PASSWORD = "correct horse"


@dataclass
class Browser:
    """Cookies of one person, and the addresses of one console."""

    console: ConsoleServer
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **options: Any) -> requests.Response:
        headers = {"accept": "text/html", **options.pop("headers", {})}
        return self.session.get(self.console.url + path, headers=headers, timeout=60, **options)

    def post(self, path: str, data: dict[str, Any], **options: Any) -> requests.Response:
        return self.session.post(self.console.url + path, data=data, timeout=60, **options)

    def enter(self) -> Browser:
        assert self.session.get(self.console.link(), timeout=60).status_code == 200
        return self

    def log_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        return self.post("/login", {"name": name, "password": password})

    def token(self, path: str) -> str:
        """The token of the forms on a page."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.get(path).text)
        assert found, path
        return found[1]

    def do(self, verb: str, *, sure: bool = False, back: str = "", **fields: Any) -> requests.Response:
        """Send the form of a verb."""
        data = {"token": self.token("/"), "back": back or self.home, **fields, **({"sure": "1"} if sure else {})}
        return self.post(f"{self.home}/do/{verb}", data)

    @property
    def home(self) -> str:
        (shown,) = self.console.site.schedulers.all()
        return f"/s/{shown.id}"


def stop_clock(console: ConsoleServer) -> list[float]:
    """The console's clock of sessions, links and failed log-ins, which stands still from now on; set it by its item."""
    now = [time.time()]
    object.__setattr__(console.site, "clock", lambda: now[0])
    return now


def console_settings(world: World, **changes: Any) -> Settings:
    return settings().model_copy(update=changes)


@pytest.fixture
def console(world: World) -> Iterator[ConsoleServer]:
    """A console without accounts, which lets people in by a link."""
    with serving(console_settings(world), "127.0.0.1", 0) as console:
        yield console


@pytest.fixture
def browser(console: ConsoleServer) -> Browser:
    return Browser(console).enter()


@pytest.fixture
def guarded(world: World) -> Iterator[ConsoleServer]:
    """A console with an operator and a reader."""
    users = (f"olga:operator:{hashed(PASSWORD)}", f"rita:reader:{hashed(PASSWORD)}")
    with serving(console_settings(world, console_users=users), "127.0.0.1", 0) as console:
        yield console


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    yield from launched()


@pytest.fixture
def person(chromium: Chromium, console: ConsoleServer) -> Iterator[Person]:
    """Somebody with a browser; no page may make a mistake or ask another host for anything."""
    person = Person(chromium, console)
    yield person
    person.leave()
    assert person.faults == []


@pytest.fixture
def scene(world: World) -> Scene:
    return play(world)
