"""The console in the foreground: the link is printed, and another one for each line on a terminal and each SIGUSR1."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from triggers.base.settings import Settings
from triggers.base.terminal import say
from triggers.console.pauses import keep_pauses_short
from triggers.console.serve import ConsoleServer, serving
from triggers.local.console_child import ANOTHER_LINK


def run(of: Settings, host: str, port: int, choice: str | None) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        Usage: the port is taken, or the settings make no sense.
    """
    ended, wanted = threading.Event(), threading.Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        ended.set()
        wanted.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    signal.signal(ANOTHER_LINK, lambda *_: wanted.set())
    keep_pauses_short()
    with serving(of, host, port, choice) as console:
        say(f"console at {console.link()}", error=True)
        if sys.stdin.isatty():
            threading.Thread(target=_more_links, args=(console,), daemon=True).start()
        while not ended.is_set():
            wanted.wait()
            wanted.clear()
            if not ended.is_set():
                say(f"console at {console.link()}", error=True)
    _leave()


def _leave() -> None:
    """End the process although threads may still wait for ClearML, for pages that nobody waits for any more."""
    if any(one.is_alive() and not one.daemon for one in threading.enumerate() if one is not threading.main_thread()):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)


def _more_links(console: ConsoleServer) -> None:
    for _ in sys.stdin:
        say(f"console at {console.link()}", error=True)
