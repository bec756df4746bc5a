"""A sandbox in another process, and worlds whose processes end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash import processes, report
from tests.crash.nursery import Nursery
from tests.crash.processes import Server
from tests.crash.world import World


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Server]:
    sandbox = Server()
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def server(sandbox: Server) -> Iterator[Server]:
    """The sandbox, and the environment that leads to it: of each module, as none leaves one to the next."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment.items():
            patch.setenv(name, value)
        yield sandbox


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = processes.nursery()
    yield nursery
    nursery.stop()


@pytest.fixture
def make_world(server: Server, nursery: Nursery, tmp_path: Path) -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def make(**options: Any) -> World:
        options = {"nursery": nursery} | options
        worlds.append(World(server, tmp_path / f"world-{len(worlds)}", **options))
        return worlds[-1]

    yield make
    for world in worlds:
        world.stop()


#: What worker processes of xdist did.
_elsewhere: list[str] = []


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["crash tests"] = report.lines()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _elsewhere.extend(getattr(node, "workeroutput", {}).get("crash tests", ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if lines := [*report.lines(), *_elsewhere]:
        terminalreporter.section("crash tests")
        for line in lines:
            terminalreporter.write_line(line)
