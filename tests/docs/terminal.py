"""A terminal as a reader of a page has one: an interactive bash, what was typed and what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

#: Seconds for a command to end when it is asked to.
_END_SECONDS = 3.0
#: Seconds for output to show, and for a command to end that installs packages, on a busy machine.
SECONDS, INSTALLING_SECONDS = 90.0, 400.0

_PROMPT = "reader> "
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\r")


class Terminal:
    """One terminal, 160 columns wide."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._screen, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        settings = termios.tcgetattr(slave)
        settings[3] &= ~termios.ECHO  # what is typed is not what is shown
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        own = {"PS1": _PROMPT, "PS2": "", "TERM": "dumb", "PROMPT_COMMAND": "", "HISTFILE": ""}
        command = ["setsid", "--ctty", "bash", "--norc", "--noprofile", "--noediting", "-i"]
        self._shell = subprocess.Popen(
            command, cwd=folder, env={**environ, **own}, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._shown, self._typed_at, self._seen, self._lock = "", 0, 0, threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def type(self, line: str) -> None:
        """Type a line once the prompt is there."""
        self.wait_for_prompt(line)
        with self._lock:
            self._typed_at = self._seen = len(self._shown)
        self._send(f"{line}\n")

    def press_ctrl_c(self) -> None:
        """Interrupt what runs in the foreground."""
        self._send("\x03")

    def wait_for_prompt(self, what: str) -> None:
        """Wait until the command before has ended."""
        self._until(
            lambda text: _PROMPT in text[self._typed_at :], f"the terminal is not free for {what!r}", INSTALLING_SECONDS
        )

    def wait_for(self, expected: str) -> None:
        """Wait until the lines show, in this order, after what showed before.

        `…` is anything within a line, blanks are as wide as they like.
        """
        lines = [line for line in expected.splitlines() if line.strip()]
        pattern = re.compile(".*?".join(_line(line) for line in lines), re.S)
        self._until(lambda text: pattern.search(text, self._seen), f"not shown:\n{expected}")
        found = pattern.search(self.screen(), self._seen)
        assert found
        self._seen = found.end()

    def screen(self) -> str:
        """All that was shown."""
        with self._lock:
            return self._shown

    def close(self) -> None:
        """Hang up: what runs in it ends, in the background too; what asks a server that is gone is killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            running = [pid for pid in _session(self._shell.pid) if psutil.pid_exists(pid)]
            for pid in running:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGTERM:
                self._send("\x03")
            deadline = time.monotonic() + _END_SECONDS
            while any(map(psutil.pid_exists, running)) and time.monotonic() < deadline:
                time.sleep(0.05)
        self._shell.kill()
        self._shell.wait(60)

    def _until(self, seen: Callable[[str], object], problem: str, seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not seen(self.screen()):
            assert time.monotonic() < deadline, f"{problem}\n--- the screen:\n{self.screen()[-5000:]}"
            time.sleep(0.05)

    def _send(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._screen, 65536)
            except OSError:  # the other end is closed
                return
            if not piece:
                return
            with self._lock:
                self._shown += _ESCAPE.sub("", piece.decode(errors="replace"))


def _line(expected: str) -> str:
    parts = [r"\s+".join(map(re.escape, part.split())) for part in expected.split("…")]
    return r"[^\n]*?".join(part if part else "" for part in parts)


def _session(leader: int) -> list[int]:
    """The processes of a terminal's session, the leader last."""
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(leader)], capture_output=True, text=True, check=False)
    return sorted((int(pid) for pid in listed.stdout.split() if int(pid) != leader), reverse=True)
