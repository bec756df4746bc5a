"""`up`: serving a scheduler from the command line, with a line that says how it is doing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import redis

from triggers.base import ending, logs
from triggers.base.errors import TriggersError, Usage
from triggers.base.settings import Settings, said_of, settings
from triggers.base.terminal import end_renewed, renew, say
from triggers.client.declaration import Declaration
from triggers.client.scheduler import TriggerScheduler
from triggers.local.console_child import beside, links_by_enter
from triggers.local.redis_server import PrivateRedis
from triggers.local.supervisor import Supervisor
from triggers.model import Trigger
from triggers.operate.status import line, read_status
from triggers.operate.target import open_target

#: Seconds between two looks, on a terminal and into a file.
_TERMINAL_SECONDS, _FILE_SECONDS = 1.0, 60.0

#: Seconds before the first look, in which everything starts and the first poll is made.
_FIRST_SECONDS = 5.0


def serve_declared(
    declared: Sequence[Trigger],
    file: str,
    name: str | None,
    project: str | None,
    *,
    quiet: bool,
    console: int | None = None,
) -> None:
    """Declare triggers as a script would, and serve them until Ctrl-C or SIGTERM.

    `file`: what declares them; `console`: port of the console beside them, None for none.
    """
    from triggers.client.service_task import DEFAULT_NAME, DEFAULT_PROJECT

    name, project = name or DEFAULT_NAME, project or DEFAULT_PROJECT
    for trigger in declared:
        if problem := trigger.action.problem_of_file():
            raise Usage(f"{file}: {trigger.called}: {trigger.action.CODE}: {problem}")
    scheduler = TriggerScheduler(force_create_task_name=name, force_create_task_project=project)
    for trigger in declared:
        scheduler.declare(Declaration(trigger, None, True, file))
    with (
        beside(console, f"{project}/{name}", _credentials()) as shown,
        links_by_enter(shown),
        StatusLine(f"{project}/{name}", settings(), quiet=quiet),
    ):
        scheduler.start()


def serve(choice: str | None, *, quiet: bool, console: int | None = None) -> None:
    """Serve what is registered until Ctrl-C or SIGTERM; `console`: port of the console beside it, None for none.

    Raises:
        Usage: no scheduler found here, or another process serves it.
    """
    of = settings()
    with open_target(choice) as target:
        chosen = target.scheduler.id
        if target.running and not of.redis_url:
            raise Usage(f"{target.where} is already served by another process: `clearml-triggers status`")
    supervisor = Supervisor(
        redis=None if of.redis_url else PrivateRedis(Path(target.where), server=of.redis_server),
        # as it was given: a password that a file holds is read there, by the child too, which sees an exchanged one
        redis_url=said_of("redis_url", os.environ) if of.redis_url else None,
        credentials=_credentials(),
    )

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        supervisor.request_stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if ending.asked():  # before, and swallowed by what was imported
        supervisor.request_stop()
    logs.to_standard_error("%(message)s")
    with (
        beside(console, chosen, _credentials()) as shown,
        links_by_enter(shown),
        StatusLine(chosen, of, quiet=quiet),
    ):
        supervisor.run()


def _credentials() -> dict[str, str]:
    from triggers.clearml_api import Credentials

    return Credentials.resolve().environment()


class StatusLine:
    """A line on standard error that says how a scheduler is doing; renewed in place on a terminal."""

    def __init__(self, choice: str, of: Settings, *, quiet: bool) -> None:
        self.choice, self.settings = choice, of
        self._in_place = sys.stderr.isatty()
        self._stopping = threading.Event()
        self._thread = None if quiet else threading.Thread(target=self._run, name="status-line", daemon=True)

    def __enter__(self) -> StatusLine:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        if self._thread:
            self._thread.join(2.0)
            if self._in_place:
                end_renewed()

    def _run(self) -> None:
        """Look again and again; while Redis is being started there is nothing to look at."""
        pause = _FIRST_SECONDS
        while not self._stopping.wait(pause):
            words = self._look()
            pause = (_TERMINAL_SECONDS if self._in_place else _FILE_SECONDS) if words else 0.5
            if words and self._in_place:
                renew(words[:200])
            elif words:
                say(words, error=True)

    def _look(self) -> str:
        try:
            with open_target(self.choice, self.settings, start=False) as target:
                return line(read_status(target, last=0)) if target.running else ""
        except (TriggersError, redis.RedisError, OSError):
            return ""
