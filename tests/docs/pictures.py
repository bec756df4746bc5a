"""Pictures of the docs that come from real runs: `make pictures` makes them all again.

`demo` and `explain` are recorded on a terminal of their own and drawn by rich; Pages of Flower and of the console
are photographed by tests of theirs, which need chromium. Diagrams come from the tables that they show.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping
from html import unescape
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.docs.steps import ROOT
from triggers.base.terminal import say
from triggers.sandbox import Sandbox

FOLDER = ROOT / "docs" / "img"
COLUMNS = 110

#: Written by a module each.
DIAGRAMS = {"architecture.svg": "triggers.stages.diagram", "states.svg": "triggers.ledger.pages.diagram"}

#: Tests that photograph pages.
PHOTOGRAPHED = (
    "tests/deploy/test_flower.py::test_pages_of_flower_can_be_looked_at",
    "tests/integration/console/test_browser_pages.py::test_pages_of_the_console_can_be_looked_at",
)

_FONT_FACE = re.compile(r"@font-face\s*{[^}]*}")
#: Ids, times, and durations.
_OF_ONE_RUN = re.compile(r"\b[0-9a-f]{32}\b|\b\d{4}-\d\d-\d\d\s\d\d:\d\d:\d\d\b|\b\d+(?:\.\d+)?\sm?s\b")
#: What a live display writes to take back a line.
_TAKEN_BACK = re.compile(r"\x1b\[\d*[ABGJK]|\x1b\[\?25[hl]|\r(?!\n)")


def main(folder: Path = FOLDER) -> None:
    """Make all of them."""
    for name, module in DIAGRAMS.items():
        done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, capture_output=True, text=True, check=True)
        (folder / name).write_text(done.stdout)
        say(f"{folder / name}")
    for name, record in RECORDINGS.items():
        picture, file = record(), folder / name
        if file.exists() and words(file.read_text()) == words(picture):
            say(f"{file} stays: only times and ids would change")
            continue
        file.write_text(picture)
        say(f"{file}")
    if not shutil.which("chromium"):
        say("the pictures of Flower and the console stay as they are: chromium is not installed", error=True)
        return
    pytest = [sys.executable, "-m", "pytest", "-q", *PHOTOGRAPHED]
    subprocess.run(pytest, cwd=ROOT, env=os.environ | {"TRIGGERS_TEST_PICTURES": str(folder)}, check=True)


def demo() -> str:
    """The end of `clearml-triggers demo`."""
    return drawn("clearml-triggers demo", shown(["demo"], os.environ))


def explain() -> str:
    """Why the trigger of the tutorial fired for one ClearML task, and did not for another."""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        environ = os.environ | sandbox.env() | {"TRIGGERS_STATE_FOLDER": f"{folder}/state", "NO_PROXY": "127.0.0.1"}
        call = sandbox.client().call
        project = call("projects.create", {"name": "Examples", "description": ""})["id"]
        call("tasks.create", {"name": "retrain", "type": "training", "project": project})
        example = ROOT / "examples" / "tutorial"
        script = subprocess.Popen([sys.executable, example / "retry_failed.py"], env=environ, stdout=subprocess.DEVNULL)
        try:
            _until(lambda: sandbox.control.counts().get("tasks.get_all_ex", 0) > 1)
            for arguments in (["training 2"], ["training 3", "production"]):
                subprocess.run(
                    [sys.executable, example / "fail.py", *arguments], env=environ, check=True, capture_output=True
                )
            _until(lambda: sandbox.control.counts().get("tasks.enqueue_many", 0) + _enqueued(sandbox) > 0)
            asked = ["explain", "retry", "training 2"]
            _until(lambda: "does not fire" in shown(asked, environ))
            return drawn('clearml-triggers explain retry "training 2"', shown(asked, environ))
        finally:
            script.terminate()
            script.wait(60)


def _enqueued(sandbox: Sandbox) -> int:
    return sandbox.control.counts().get("tasks.enqueue", 0)


#: Pictures by the run that they show.
RECORDINGS: Mapping[str, Callable[[], str]] = {"demo.svg": demo, "explain.svg": explain}


def shown(arguments: list[str], environ: Mapping[str, str]) -> str:
    """What a verb leaves on a terminal, with its colors."""
    screen, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    own = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-m", "triggers", *arguments]
    verb = subprocess.Popen(command, env={**environ, **own}, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL)
    os.close(slave)
    pieces = []
    while True:
        try:
            pieces.append(os.read(screen, 65536))
        except OSError:  # the verb has ended
            break
    os.close(screen)
    verb.wait(60)
    text = b"".join(pieces).decode().replace("\r\n", "\n")
    return _TAKEN_BACK.split(text)[-1].strip("\n")


def drawn(command: str, text: str) -> str:
    """A terminal as a picture that fetches nothing."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "green"), (command, "bold")), soft_wrap=True)
    console.print(Text.from_ansi(text))
    picture = console.export_svg(title="clearml-triggers", unique_id="picture")
    return _FONT_FACE.sub("", picture).replace("Fira Code", "ui-monospace, Menlo, Consolas")


def words(picture: str) -> list[str]:
    """What a recording shows, without what each run has of its own: ids, times, and how long something took."""
    text = _OF_ONE_RUN.sub("…", unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", picture, flags=re.S)))
    return re.sub(r"─+", "─", text).split()


def _until(seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.2)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
