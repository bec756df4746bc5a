"""The tutorial is followed literally: what it says to type is typed, what it says is shown has to show."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.steps import ROOT, Step, blocks, steps
from tests.docs.terminal import Terminal
from triggers.local.server_binary import find_server

PAGE = ROOT / "docs" / "tutorial.md"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Reader:
    """Somebody who follows a page in an empty folder. Ports of the page are taken by free ones."""

    def __init__(self, home: Path, path: list[Path | str], ports: dict[str, str]) -> None:
        self.home, self.start, self._ports, self._terminals = home, home, ports, dict[str, Terminal]()
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self._environ = {**pip, "HOME": str(home), "LANG": "C.UTF-8", "NO_PROXY": "127.0.0.1"}
        self._environ |= {"PATH": os.pathsep.join(map(str, path)), "XDG_RUNTIME_DIR": str(home)}

    def follow(self, step: Step, folder: Path) -> None:
        text = self._with_own_ports(step.text)
        if step.what == "save":
            (folder / step.where).write_text(text)
            return
        terminal = self._terminals.get(step.where)
        if terminal is None:
            terminal = self._terminals[step.where] = Terminal(self.start, self._environ)
        if step.what == "press":
            terminal.press_ctrl_c()
        elif step.what == "see":
            terminal.wait_for(text)
        else:
            for line in text.splitlines():
                terminal.type(line)

    def leave(self) -> None:
        for terminal in self._terminals.values():
            terminal.close()

    def _with_own_ports(self, text: str) -> str:
        text = text.replace("sandbox --", f"sandbox --port {self._ports['8008']} --")
        for port, own in self._ports.items():
            text = text.replace(port, own)
        return text


@pytest.fixture
def ports(free_port: Callable[[], int]) -> dict[str, str]:
    return {"8008": str(free_port()), "6379": str(free_port())}


@pytest.fixture
def tools(tmp_path: Path) -> list[Path | str]:
    """Where the commands are that the page takes for granted: a `redis-server` and those of the system."""
    found = tmp_path / "found"
    found.mkdir()
    (found / "redis-server").symlink_to(find_server().path)
    return [found, "/usr/local/bin", "/usr/bin", "/bin"]


@pytest.fixture
def reader(tmp_path: Path, tools: list[Path | str], ports: dict[str, str]) -> Iterator[Reader]:
    """Somebody who has this environment already; activating that of the page changes nothing."""
    (tmp_path / "tour" / "bin").mkdir(parents=True)
    (tmp_path / "tour" / "bin" / "activate").write_text("")
    reader = Reader(tmp_path, [Path(sys.executable).parent, *tools], ports)
    yield reader
    reader.leave()


@pytest.fixture
def newcomer(tmp_path: Path, tools: list[Path | str], ports: dict[str, str]) -> Iterator[Reader]:
    """Somebody who has a Python and the folder of the repository."""
    reader = Reader(tmp_path, [Path(sys.base_prefix, "bin"), *tools], ports)
    reader.start = tmp_path / "repository"
    leave = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist")
    shutil.copytree(ROOT, reader.start, ignore=leave)
    yield reader
    reader.leave()


def test_every_step_does_what_the_page_says(reader: Reader) -> None:
    first = PAGE.read_text().index("## Start")  # before it, the page installs what this environment has
    for step in steps(PAGE.read_text()[first:]):
        reader.follow(step, reader.home / "tour")


def test_a_newcomer_needs_nothing_but_the_page(newcomer: Reader) -> None:
    """Up to the first own firing: the rest is the same as with this environment."""
    text = PAGE.read_text()
    for step in steps(text[: text.index("## Add a second")]):
        newcomer.follow(step, newcomer.home / "tour")


def test_every_block_is_followed() -> None:
    text = PAGE.read_text()
    assert len(list(blocks(text))) == sum(step.what != "press" for step in steps(text))
    assert sum(step.what == "press" for step in steps(text)) == text.count("**Ctrl-C**")
