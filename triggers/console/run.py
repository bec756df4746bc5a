"""The console in the foreground: the link is printed, and another one for each line on standard input."""

from __future__ import annotations

import signal
import sys
import threading

from triggers.base.settings import Settings
from triggers.base.terminal import say
from triggers.console.serve import ConsoleServer, serving


def run(of: Settings, host: str, port: int, choice: str | None) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises:
        Usage: the port is taken, or the settings make no sense.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with serving(of, host, port, choice) as console:
        say(f"console at {console.link()}", error=True)
        if sys.stdin.isatty():
            threading.Thread(target=_more_links, args=(console,), daemon=True).start()
        ended.wait()


def _more_links(console: ConsoleServer) -> None:
    for _ in sys.stdin:
        say(f"console at {console.link()}", error=True)
