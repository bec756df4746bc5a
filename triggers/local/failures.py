"""When starting a child again is of no use: it fails in the same way each time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from typing import Final

#: So many identical failures in a row, and the child is broken.
LIMIT: Final = 5

#: A child that lived for so long was not a failure of its start, seconds.
HEALTHY_SECONDS: Final = 30.0

#: Ends that others bring about: they say nothing of the child.
_FROM_OUTSIDE: Final = frozenset(-number for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))


class Failures:
    """How often in a row a child has ended in the same way."""

    def __init__(self) -> None:
        self._last: tuple[int, str] | None = None
        self._number = 0

    def is_broken(self, code: int, line: str, lived_seconds: float) -> bool:
        """Count one end of the child; whether another start would end like the last ones.

        Args:
            code: as `subprocess` has it, negative for a signal.
            line: the last line that the child wrote; times and process ids in it make no difference.
            lived_seconds: from its start to its end.
        """
        if code == 0 or code in _FROM_OUTSIDE or lived_seconds >= HEALTHY_SECONDS:
            self._last, self._number = None, 0
            return False
        this = code, re.sub(r"\d+", "", line)
        self._number = self._number + 1 if this == self._last else 1
        self._last = this
        return self._number >= LIMIT


class ChildErrors:
    """Passes on what a child writes to standard error, and keeps its last line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._line = b""
        self._stream = process.stderr
        self._thread = threading.Thread(target=self._pass_on, name="triggers-child-errors", daemon=True)
        self._thread.start()

    def last_line(self) -> str:
        """The last line that the child wrote; to be asked after its end."""
        self._thread.join(2.0)
        return self._line.decode(errors="replace").strip()

    def _pass_on(self) -> None:
        assert self._stream is not None
        with self._stream as stream:
            for line in iter(stream.readline, b""):
                if line.strip():
                    self._line = line
                _write_all(line)


def _write_all(line: bytes) -> None:
    """Write to standard error; one that is closed takes nothing, and the child goes on."""
    try:
        while line:
            line = line[os.write(2, line) :]
    except OSError:
        return
