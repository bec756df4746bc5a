"""Liveness by progress: what a worker process writes down about itself, and the command that judges it.

    python -m clearml_triggers.health [FILE] [--end]

One command for every supervisor: a container's health check, a Kubernetes probe, a systemd timer. Exit code 0:
the process makes progress. 1: it does not, and one line says why; with `--end` it is killed, so that its
supervisor starts it again. Written by `workers.watchdog`; local mode's supervisor judges its child by the same file.
Nothing heavy is imported: it runs every few seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from triggers.base.terminal import say

#: A process that has not written for so long is frozen, seconds. It writes every 2.
FROZEN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What a process last wrote of itself.

    `looked_at` is the machine's monotonic clock, which all its processes share. `stuck` says what is wrong,
    "" when nothing is. `started` tells the process from a later one with the same pid. `note` is what people have to
    know although a restart would not fix it.
    """

    name: str
    pid: int
    started: str
    looked_at: float
    stuck: str
    note: str = ""

    @classmethod
    def of_this_process(cls, name: str, stuck: str = "", note: str = "") -> Progress:
        """As of now."""
        return cls(name, os.getpid(), start_of(os.getpid()), time.monotonic(), stuck, note)

    def write(self, file: Path) -> None:
        """Replace the file in one step: a reader never sees half of it."""
        fresh = file.with_name(f"{file.name}.{self.pid}")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(file)

    @classmethod
    def read(cls, file: Path) -> Progress | None:
        """What the file says; None when there is none yet, or another version wrote it."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    def fault(self, now: float, frozen_seconds: float | None = None) -> str:
        """What is wrong at that time of the monotonic clock, "" when nothing is."""
        if start_of(self.pid) != self.started:
            return f"{self.name} (process {self.pid}) has ended"
        silent = now - self.looked_at
        if silent > (FROZEN_SECONDS if frozen_seconds is None else frozen_seconds):
            return f"{self.name} (process {self.pid}) is frozen: silent for {silent:.0f} s"
        return f"{self.name} (process {self.pid}) {self.stuck}" if self.stuck else ""

    def end(self) -> None:
        """Kill the process, if it still is the one that wrote this."""
        if self.started and start_of(self.pid) == self.started:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)


def start_of(pid: int) -> str:
    """When a process started, in ticks since boot; "" when it is gone or the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def main(arguments: list[str]) -> int:
    """Judge the process whose file is named, else the one of TRIGGERS_HEALTH_FILE; its exit code."""
    named = [argument for argument in arguments if not argument.startswith("-")]
    # not through `settings`: that import alone costs half a second of every look
    path = named[0] if named else os.environ.get("TRIGGERS_HEALTH_FILE", "")
    if not path or len(named) > 1 or set(arguments) - set(named) - {"--end"}:
        say(
            "usage: python -m clearml_triggers.health [FILE] [--end]; FILE or TRIGGERS_HEALTH_FILE is needed",
            error=True,
        )
        return 2
    progress = Progress.read(Path(path))
    if progress is None:
        say(f"no process has written {path} yet")
        return 1
    fault = progress.fault(time.monotonic())
    if fault and "--end" in arguments:
        progress.end()
    say(fault or f"{progress.name} makes progress" + (f", but {progress.note}" if progress.note else ""))
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
