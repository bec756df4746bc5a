"""The console beside what serves a scheduler: a child that is started again, prints links, and ends with its parent."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest
import requests

from tests.docs.steps import ROOT
from tests.eventually import eventually
from tests.integration.stages.conftest import World
from triggers.base.errors import Usage
from triggers.local import console_child
from triggers.local.console_child import ConsoleChild
from triggers.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECONDS = 60
_LINK = re.compile(r"console at (http://127\.0\.0\.1:\d+/enter/\S+)")


until = partial(eventually, seconds=SECONDS)


def consoles_of(pid: int) -> list[psutil.Process]:
    return [one for one in psutil.Process(pid).children() if "console" in one.cmdline()]


def test_a_console_prints_links_and_is_started_again(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    printed = ""

    def links() -> list[str]:
        nonlocal printed
        printed += capfd.readouterr().err
        return _LINK.findall(printed)

    child = ConsoleChild(0, world.ledger.scheduler, {})
    child.start()
    try:
        until(lambda: len(links()) == 1)
        child.another_link()
        until(lambda: len(links()) == 2)
        for link in links():
            assert requests.get(link, timeout=60).status_code == 200, "each works once"
        (first,) = consoles_of(os.getpid())
        first.kill()
        until(lambda: len(links()) == 3)
        assert requests.get(links()[2], timeout=60).status_code == 200
        (second,) = consoles_of(os.getpid())
    finally:
        child.stop()
    assert not second.is_running()


def test_a_port_that_is_taken_is_reported_once(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        child = ConsoleChild(taken.getsockname()[1], world.ledger.scheduler, {})
        child.start()
        child._thread.join(SECONDS)
        assert not child._thread.is_alive()
        child.stop()
    assert capfd.readouterr().err.count("the console cannot listen on 127.0.0.1:") == 1


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_child, "_NEEDED", ("itsdangerous_that_is_not_there",))
    monkeypatch.setattr(console_child.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Usage):
        console_child.require_installed()
    monkeypatch.setattr(console_child, "_NEEDED", ("jinja2",))
    with pytest.raises(Usage, match=r"pip install 'clearml-triggers\[console\]'"):
        console_child.require_installed()


SCRIPT = """
from triggers import TriggerScheduler
scheduler = TriggerScheduler()
scheduler.add_task_trigger(name="retry", trigger_on_status=["failed"], schedule_function=print)
scheduler.start(console=0)
"""


@pytest.mark.parametrize("way", ["script", "up"])
def test_the_console_shows_what_its_parent_serves_and_ends_with_it(way: str, tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(SCRIPT)
    (tmp_path / "triggers.yaml").write_text(
        "triggers:\n- kind: task\n  name: retry\n  trigger_on_status: [failed]\n"
        "  schedule_task_id: 0123456789abcdef0123456789abcdef\n  schedule_queue: default\n"
    )
    commands = {
        "script": [sys.executable, "serve.py"],
        "up": [sys.executable, "-m", "clearml_triggers", "up", "-f", "triggers.yaml", "--console", "--port", "0"],
    }
    with Sandbox() as sandbox, (tmp_path / "err").open("w+") as err:
        own = {"TRIGGERS_STATE_FOLDER": str(tmp_path / "state"), "NO_PROXY": "127.0.0.1", "PYTHONPATH": str(ROOT)}
        environ = {name: value for name, value in os.environ.items() if name != "TRIGGERS_REDIS_URL"}
        parent = subprocess.Popen(commands[way], env=environ | sandbox.env() | own, cwd=tmp_path, stderr=err)
        try:
            until(lambda: bool(_LINK.search((tmp_path / "err").read_text())))
            link = _LINK.search((tmp_path / "err").read_text())
            assert link
            session = requests.Session()
            page = session.get(link[1], timeout=60)
            root = link[1].partition("/enter")[0]
            until(lambda: "retry" in session.get(f"{root}/", timeout=60).text)
            assert page.status_code == 200
            (console,) = consoles_of(parent.pid)
            parent.send_signal(signal.SIGKILL)
            console.wait(SECONDS)
        finally:
            parent.kill()
            parent.wait()
