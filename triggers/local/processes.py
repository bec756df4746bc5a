"""Starting, recognizing and ending processes; nothing about what they do.

Children are always started by exec (`subprocess` without `preexec_fn`), never by a bare fork, since the
user's process has the threads of the ClearML SDK.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

#: seconds between two looks while waiting for a process or a file
_LOOK_SECONDS = 0.02


# argv: the parent's pid, the signal, the command. PR_SET_PDEATHSIG (1) outlives exec; the parent may be gone by then.
_TRAMPOLINE = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(sys.argv[2]))
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class _LongLivedThread:
    """One daemon thread per process that carries out calls until the process ends.

    PR_SET_PDEATHSIG names the *thread* that started a child, not its process: a Redis started from a
    short-lived thread would be ended with that thread.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._pid = 0

    def call(self, function: Callable[[], Any]) -> Any:
        with self._guard:
            if self._pid != os.getpid():  # first use, or first use in a forked copy of the process
                self._calls, self._pid = queue.SimpleQueue(), os.getpid()
                threading.Thread(target=self._serve, name="triggers-spawner", daemon=True).start()
            future: Future[Any] = Future()
            self._calls.put((future, function))
        return future.result()

    def _serve(self) -> None:
        calls = self._calls
        while True:
            future, function = calls.get()
            try:
                future.set_result(function())
            except BaseException as error:  # handed to the caller
                future.set_exception(error)
            del future, function


_spawner = _LongLivedThread()


def spawn(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, from a thread that lives as long as this process.

    A session of its own: Ctrl-C in the terminal reaches only the parent, which ends its children in order.
    """
    start = lambda: subprocess.Popen(  # noqa: E731
        command, stdin=subprocess.DEVNULL, start_new_session=True, **options
    )
    process: subprocess.Popen[bytes] = _spawner.call(start)
    return process


def ending_with_us(command: Sequence[str], number: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command for `spawn` of a process that gets a signal when this one ends, however it ends (Linux)."""
    return [sys.executable, "-I", "-S", "-c", _TRAMPOLINE, str(os.getpid()), str(int(number)), *command]


def end(process: subprocess.Popen[bytes], patience_seconds: float) -> None:
    """End a child: SIGTERM, and SIGKILL to its whole group when it is there after `patience_seconds`."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
        process.wait()


def end_stranger(pid: int, patience_seconds: float) -> None:
    """End a process that is not a child of this one, in the same way."""
    for number, patience in ((signal.SIGTERM, patience_seconds), (signal.SIGKILL, patience_seconds)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: start_time(pid) is None, patience):
            return


def start_time(pid: int) -> int | None:
    """When a process was started, in the kernel's ticks: with the pid it names a process for good.

    None for a process that is gone or a zombie, and where there is no /proc.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def is_server_in(pid: int, folder: Path) -> bool:
    """Whether a process is a Redis (or Valkey) server that works in `folder`."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        place = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    name = command.split(b"\0")[0]
    return (b"redis" in name or b"valkey" in name) and place == os.path.realpath(folder)


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Look until `condition` holds; False when it did not within the time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


#: file descriptors that a forked copy of this process (multiprocessing) must not keep open
_own_descriptors: set[int] = set()


def keep_from_forks(descriptor: int) -> int:
    """Close a descriptor in forked copies of this process, so that its closing here is seen by others."""
    _own_descriptors.add(descriptor)
    return descriptor


def close(descriptor: int) -> None:
    """Close a descriptor that was given to `keep_from_forks`; does nothing when it is closed."""
    if descriptor in _own_descriptors:
        _own_descriptors.discard(descriptor)
        os.close(descriptor)


def _close_in_fork() -> None:
    for descriptor in list(_own_descriptors):
        close(descriptor)


os.register_at_fork(after_in_child=_close_in_fork)
