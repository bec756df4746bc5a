"""Where the demo plays: a temporary folder, a sandbox, and the two processes; nothing of it stays."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import triggers
from triggers.base.errors import TriggersError
from triggers.local.processes import end, spawn

if TYPE_CHECKING:
    from triggers.sandbox import Sandbox

#: The user's script and what happens on the server, copied into the folder and run there.
SCRIPT, CHANGES = "script.py", "changes.py"

#: Variables of these prefixes belong to the user's own ClearML and Redis, which the demo must not touch.
_DROPPED = ("CLEARML_", "TRAINS_", "TRIGGERS_", "CELERY_")
_KEPT = "TRIGGERS_REDIS_SERVER"

#: Seconds that a process has to end in order: what local mode promises.
_PATIENCE_SECONDS = 10.0


class DemoStage:
    """The folder and the processes in it, between `with` and its end."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="clearml-triggers-"))
        self.state = self.folder / "state"
        self._environment = environment(os.environ, self.folder) | sandbox.env()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> DemoStage:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes.values():
            _interrupt(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run_script(self) -> None:
        """Start the user's script, as a user does."""
        self._run(SCRIPT)

    def run_changes(self, rounds: int) -> None:
        """Start the process that makes the changes; `told` returns what it did."""
        self._run(CHANGES, str(rounds))

    def told(self) -> Iterator[dict[str, str]]:
        """What the process that makes the changes has reported so far, oldest first."""
        lines = self._path(CHANGES, "out").read_bytes().split(b"\n")[:-1]
        return map(json.loads, lines)

    def _run(self, name: str, *arguments: str) -> None:
        shutil.copy(Path(__file__).with_name(name), self.folder)
        command = [sys.executable, name, *arguments]
        with self._path(name, "out").open("wb") as out, self._path(name, "log").open("wb") as log:
            self._processes[name] = spawn(command, cwd=self.folder, env=self._environment, stdout=out, stderr=log)

    def check(self) -> None:
        """Look whether the processes do what they should.

        Raises:
            TriggersError: one of them has failed; the message has the end of what it printed.
        """
        for name, process in self._processes.items():
            code = process.poll()
            if code is not None and (code or name == SCRIPT):
                said = self._path(name, "log").read_text(errors="replace").strip().splitlines()[-15:]
                raise TriggersError("\n".join([f"the demo's {name} ended with {code}:", *said]))

    def _path(self, name: str, suffix: str) -> Path:
        return self.folder / f"{name}.{suffix}"


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """End a process as Ctrl-C does, which the SDK lets through at every moment; then by and by more rudely."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE_SECONDS)
    end(process, 1.0)


def environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of the processes: home, temporary files, caches and state in `folder`, nobody's ClearML."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_DROPPED) or name == _KEPT}
    temporary = folder / "tmp"
    temporary.mkdir()
    found_in = [str(Path(triggers.__file__).parents[1]), *filter(None, [environ.get("PYTHONPATH")])]
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(temporary),
        "PYTHONUSERBASE": site.getuserbase(),  # follows HOME otherwise
        "PYTHONPATH": os.pathsep.join(found_in),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "CLEARML_CONFIG_FILE": str(folder / "clearml.conf"),
        "CLEARML_CACHE_DIR": str(folder / "cache"),
        "CLEARML_SUPPRESS_UPDATE_MESSAGE": "1",
        "TRIGGERS_STATE_FOLDER": str(folder / "state"),
    }
