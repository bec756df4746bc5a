"""The console beside what serves a scheduler: a child of its own, started again when it dies, ended with its parent."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from triggers.base.entry_point import USAGE, way_to
from triggers.base.errors import Usage
from triggers.base.logs import logger
from triggers.local import child
from triggers.local.processes import close, end, keep_from_forks, spawn
from triggers.local.supervisor import Backoff

_log = logger(__name__)

#: Where it listens by default.
PORT: Final = 8090
#: Asks a console for another link.
ANOTHER_LINK: Final = signal.SIGUSR1

_NEEDED: Final = ("starlette", "uvicorn", "jinja2", "itsdangerous")
_LOOK_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 3.0


class ConsoleChild:
    """The child and what watches it."""

    def __init__(self, port: int, choice: str, credentials: Mapping[str, str]) -> None:
        self._arguments = ["console", "--port", str(port), "--scheduler", choice]
        self._credentials = dict(credentials)
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        # never written to: its reading end, which the child has, ends when this process ends
        self._life_read, self._life_write = map(keep_from_forks, os.pipe())
        self._thread = threading.Thread(target=self._run, name="console-child", daemon=True)

    def start(self) -> None:
        """Start it, and keep it alive until `stop`."""
        self._thread.start()

    def another_link(self) -> None:
        """Let it print a link that works once more."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(ANOTHER_LINK)

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        self._thread.join()
        if self._child is not None:
            end(self._child, _PATIENCE_SECONDS)
        for descriptor in (self._life_read, self._life_write):
            close(descriptor)

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            began = time.monotonic()
            self._child = self._started()
            while (code := self._child.poll()) is None and not self._stopping.wait(_LOOK_SECONDS):
                pass
            if code is None or code == USAGE:  # it is to end, or has printed what is wrong
                return
            pause = backoff.pause(time.monotonic() - began)
            _log.warning("the console ended with %s; starting it again in %.1f s", code, pause)
            self._stopping.wait(pause)

    def _started(self) -> subprocess.Popen[bytes]:
        environment = child.child_environment(os.environ) | child.bootstrap_environment() | self._credentials
        environment[child.PARENT_DESCRIPTOR] = str(self._life_read)
        command = child.child_command("triggers.cli", *self._arguments)
        return spawn(command, env=environment, pass_fds=(self._life_read,))


@contextmanager
def beside(port: int | None, choice: str, credentials: Mapping[str, str]) -> Iterator[ConsoleChild | None]:
    """Serve the console on a port of this machine while the body runs; no console where the port is None.

    Raises:
        Usage: what the console is made of is not installed.
    """
    if port is None:
        yield None
        return
    require_installed()
    console = ConsoleChild(port, choice, credentials)
    console.start()
    try:
        yield console
    finally:
        console.stop()


@contextmanager
def links_by_enter(console: ConsoleChild | None) -> Iterator[None]:
    """Let it print another link for each line that is entered on the terminal, if there is one."""
    if console is not None and sys.stdin.isatty():
        threading.Thread(target=_pass_on, args=(console,), name="console-links", daemon=True).start()
    yield


def _pass_on(console: ConsoleChild) -> None:
    for _ in sys.stdin:
        console.another_link()


def require_installed() -> None:
    """Refuse to go on without the extra `console`.

    Raises:
        Usage: a package is missing; the message has the command that installs it.
    """
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise Usage(way_to(ModuleNotFoundError(name=name), "console") or name)
