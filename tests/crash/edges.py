"""The edges of the system, wrapped in a worker's own process: every script, ClearML call and sending passes here.

A point is one side of one edge call: `before store:claim #1`. Nothing names the points in advance: a trace lists
what a scenario passes, so that a new script or call is covered without anyone adding it to a list.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

#: what a process does at the point that is armed
Deed = Literal["kill", "stop", "snapshot"]

#: environment variable: the folder that holds what is armed, what was reached, and the trace
FOLDER = "CRASH_TEST_FOLDER"


@dataclass(frozen=True)
class Point:
    """The n-th passage, from arming on, of one side of one edge call."""

    side: str
    edge: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.side} {self.edge} #{self.nth}"


@dataclass(frozen=True)
class Hit:
    """Which process reached the point, and when."""

    pid: int
    at: float


class Control:
    """What a test arms for all worker processes of one world; the first of them that comes there does it, once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)  # never one that another world has left hits and snapshots in
        self._number = 0

    def arm(self, point: Point, deed: Deed, *, snapshot: Path | None = None) -> int:
        """Arm one point; the number to ask `hit` for. `snapshot`: the folder of Redis to copy there."""
        self._number += 1
        armed = {"number": self._number, "deed": deed, "snapshot": str(snapshot or ""), **asdict(point)}
        _write(self.folder / "armed", armed)
        return self._number

    def disarm(self) -> None:
        """Take back what was not reached."""
        (self.folder / "armed").unlink(missing_ok=True)

    def hit(self, number: int) -> Hit | None:
        """Who reached the point armed under this number; None: nobody yet."""
        with contextlib.suppress(FileNotFoundError):
            return Hit(**json.loads((self.folder / f"hit-{number}").read_text()))
        return None

    def has_resumed(self, number: int) -> bool:
        """Whether the process that stopped itself goes on."""
        return (self.folder / f"resumed-{number}").exists()

    def snapshot(self, number: int) -> Path:
        """The append-only file as it was at the point."""
        return self.folder / f"snapshot-{number}"

    def trace(self) -> None:
        """Begin to list the points that are passed."""
        (self.folder / "trace").touch()

    def traced(self) -> list[Point]:
        """End the list: its points in the order of their first passage, the first and the second of each."""
        passed = (self.folder / "trace").rename(self.folder / "trace.done").read_text().splitlines()
        counts: Counter[str] = Counter()
        points = []
        for line in passed:
            counts[line] += 1
            if counts[line] <= 2:
                side, _, edge = line.partition(" ")
                points.append(Point(side, edge, counts[line]))
        return points


class _Guard:
    """In the worker: looks at every passage whether this is the point."""

    def __init__(self, folder: Path) -> None:
        self.armed, self.trace_file, self.folder = folder / "armed", folder / "trace", folder
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._wanted: dict[str, Any] = {}
        self._passed = 0

    def passes(self, side: str, edge: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(self.trace_file, os.O_WRONLY | os.O_APPEND)
            os.write(descriptor, f"{side} {edge}\n".encode())
            os.close(descriptor)
        with self._lock, contextlib.suppress(FileNotFoundError):
            found = os.stat(self.armed)
            if self._seen != (found.st_ino, found.st_mtime_ns):
                self._wanted, self._passed = json.loads(self.armed.read_text()), 0
                self._seen = found.st_ino, found.st_mtime_ns
            if (side, edge) == (self._wanted["side"], self._wanted["edge"]):
                self._passed += 1
                if self._passed == self._wanted["nth"]:
                    # once, in one process: whoever renames the file has reached the point
                    self.armed.rename(self.folder / f"taken-{self._wanted['number']}")
                    self._do(self._wanted)

    def _do(self, wanted: dict[str, Any]) -> None:
        if wanted["deed"] == "snapshot":
            copy_append_only_file(Path(wanted["snapshot"]), self.folder / f"snapshot-{wanted['number']}")
        _write(self.folder / f"hit-{wanted['number']}", asdict(Hit(os.getpid(), time.time())))
        if wanted["deed"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif wanted["deed"] == "stop":
            # to this very thread: by way of another one it would run on for a moment
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            (self.folder / f"resumed-{wanted['number']}").touch()


def copy_append_only_file(redis: Path, to: Path) -> None:
    """Copy what Redis has written so far (one file up to Redis 6, a folder since 7)."""
    to.mkdir(exist_ok=True)
    for name in ("appendonly.aof", "appendonlydir"):
        if (redis / name).is_dir():
            shutil.copytree(redis / name, to / name)
        elif (redis / name).exists():
            shutil.copy(redis / name, to / name)


def wrap(folder: Path) -> None:
    """Wrap the edges of this process."""
    from tests.one_by_one import run_together
    from triggers.actions.sending import channels, connections
    from triggers.clearml_api.connection import Api
    from triggers.ledger.store import Store

    guard = _Guard(folder)
    Store.run = _wrapped(guard, Store.run, lambda script: f"store:{script.name}")  # type: ignore[method-assign]
    Store.run_together = run_together  # type: ignore[method-assign]
    Api.call = _wrapped(guard, Api.call, lambda endpoint: f"api:{endpoint}")  # type: ignore[method-assign]
    connections.post = _wrapped(guard, connections.post, lambda *_: "sent:webhook")
    channels._request = _wrapped(guard, channels._request, lambda *_: "sent:notification")


def _wrapped(guard: _Guard, edge: Callable[..., Any], name: Callable[[Any], str]) -> Callable[..., Any]:
    @wraps(edge)
    def passing(self: Any, what: Any, *args: Any, **options: Any) -> Any:
        guard.passes("before", name(what))
        try:
            return edge(self, what, *args, **options)
        finally:
            guard.passes("after", name(what))

    return passing


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write at once or not at all."""
    new = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
    new.write_text(json.dumps(content))
    new.rename(path)
