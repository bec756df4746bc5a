"""Keeping the private Redis and the one child of local mode alive and at work, and ending both."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from triggers.base.errors import StoreUnavailable, Usage
from triggers.base.logs import logger
from triggers.base.terminal import say_problem
from triggers.health import FROZEN_SECONDS
from triggers.local import child
from triggers.local.failures import LIMIT, ChildErrors, Failures
from triggers.local.liveness import HEALTH_FILE, Liveness
from triggers.local.processes import close, end, keep_from_forks, spawn
from triggers.local.redis_server import PrivateRedis

_log = logger(__name__)

#: seconds that the child has to finish what it is doing
_CHILD_PATIENCE_SECONDS = 7.0
#: seconds between two looks at the processes
_LOOK_SECONDS = 0.2


class Backoff:
    """Pauses before restarts: 0.2 s, doubling to 5 s, from the start again after 30 s of health."""

    FIRST_SECONDS, LONGEST_SECONDS, HEALTHY_SECONDS = 0.2, 5.0, 30.0

    def __init__(self) -> None:
        self._next = self.FIRST_SECONDS

    def pause(self, lived_seconds: float) -> float:
        """Seconds to wait before the next start of what has lived for `lived_seconds`."""
        if lived_seconds >= self.HEALTHY_SECONDS:
            self._next = self.FIRST_SECONDS
        pause, self._next = self._next, min(self._next * 2, self.LONGEST_SECONDS)
        return pause


class Supervisor:
    """One Redis (unless `redis_url` names one that is there) and one child; what dies is started again.

    `run` in one thread, `request_stop` from anywhere, a signal handler included.
    """

    def __init__(
        self,
        *,
        redis: PrivateRedis | None = None,
        redis_url: str | None = None,
        credentials: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
        frozen_seconds: float = FROZEN_SECONDS,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            redis: The Redis to own; the caller may have started it already.
            redis_url: Address of a Redis that is not ours to start; used when `redis` is None.
            credentials: CLEARML_API_* variables for the child (`Credentials.environment()`).
            command: Command of the child in place of `workers.local`.
            frozen_seconds: How long the child may be silent before it counts as frozen.
        """
        if (redis is None) == (redis_url is None):
            raise TypeError("give either a Redis to own or the URL of one")
        self._redis, self._redis_url = redis, redis_url
        self._credentials = dict(credentials or {})
        self._command = list(command or child.child_command())
        self._farewell: Callable[[], None] | None = None
        self._liveness = Liveness(redis.folder if redis else None, frozen_seconds=frozen_seconds)
        self._child: subprocess.Popen[bytes] | None = None
        self._told: ChildErrors | None = None
        self._failures, self._gave_up = Failures(), False
        self._started_at: dict[str, float] = {}
        self._backoff = {"redis": Backoff(), "child": Backoff()}
        self._stopping = False
        self._ending = threading.Lock()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_write.setblocking(False)
        # never written to: its reading end, which the child has, ends when this process ends
        self._life_read, self._life_write = map(keep_from_forks, os.pipe())
        self._hold_write: int | None = None

    def start(self) -> None:
        """Start Redis and the child; returns when Redis answers.

        Raises:
            Usage: No server to start, or its folder is in use.
            StoreUnavailable: Redis did not start.
        """
        if self._redis is not None:
            self._redis.start(cancelled=lambda: self._stopping)
            self._started_at["redis"] = time.monotonic()
        self._start_child()

    def prepare(self) -> None:
        """Start the child early, beside what else a start does: it imports, and begins only in `run`."""
        hold_read, self._hold_write = map(keep_from_forks, os.pipe())
        try:
            self._start_child(hold_read)
        finally:
            close(hold_read)

    def _release_child(self) -> None:
        """Let a child begin that was started early."""
        if self._hold_write is not None:
            close(self._hold_write)
            self._hold_write = None
            if self._child is not None:
                self._started_at["child"] = time.monotonic()
                self._liveness.begin(self._child.pid, self._started_at["child"])

    def run(self, farewell: Callable[[], None] | None = None) -> None:
        """Start what is not started, keep it alive until a stop is requested, then end it (within 10 s).

        Args:
            farewell: Called once at the stop, beside the end of the child and while Redis still runs; it should
                take no longer than the child may.

        Raises:
            SystemExit: The child fails at each start in the same way; one line has logged how.
        """
        self._farewell = farewell
        try:
            self._started_at.setdefault("redis", time.monotonic())
            self._release_child()
            if self._child is None:
                self.start()
            while not self._stopping:
                self._restart_what_ended()
                self._sleep(_LOOK_SECONDS)
        finally:
            self.stop()
        if self._gave_up:
            raise SystemExit(1)

    def request_stop(self) -> None:
        """Make `run` return; safe in a signal handler and from any thread."""
        self._stopping = True
        with contextlib.suppress(OSError):  # already woken, or already stopped
            self._wake_write.send(b"s")

    def stop(self) -> None:
        """End the child, then Redis, within 10 s. May be called twice, from any thread."""
        self.request_stop()
        with self._ending:
            deadline = time.monotonic() + _CHILD_PATIENCE_SECONDS
            farewell = threading.Thread(target=self._say_farewell, name="farewell", daemon=True)
            farewell.start()
            if self._child is not None:
                end(self._child, _CHILD_PATIENCE_SECONDS)
                self._child = None
            farewell.join(max(0.0, deadline - time.monotonic()))
            if self._redis is not None:
                self._redis.stop()
            close(self._life_read)
            close(self._life_write)
            if self._hold_write is not None:
                close(self._hold_write)
                self._hold_write = None
            self._wake_read.close()
            self._wake_write.close()
            self._liveness.close()

    def _say_farewell(self) -> None:
        farewell, self._farewell = self._farewell, None
        if farewell is not None:
            try:
                farewell()
            except Exception:
                _log.exception("cannot shut down in order")

    @property
    def redis_url(self) -> str:
        """Address of the Redis that the child uses."""
        return self._redis.url if self._redis is not None else str(self._redis_url)

    @property
    def child_pid(self) -> int | None:
        """Process id of the running child."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def _restart_what_ended(self) -> None:
        if self._redis is not None and not self._redis.is_alive:
            self._pause("redis", "Redis")
            self._restart_redis()
        self._end_what_gets_nowhere()
        if self._child is not None and self._child.poll() is not None:
            if self._give_up(self._child.returncode):
                return
            self._pause("child", f"the worker process (ended with {self._child.returncode})")
            with self._ending:
                if not self._stopping:
                    self._start_child()

    def _give_up(self, code: int) -> bool:
        """Stop when the child is broken, and say so once."""
        line = self._told.last_line() if self._told is not None else ""
        lived = time.monotonic() - self._started_at["child"]
        if self._stopping or not self._failures.is_broken(code, line, lived):
            return False
        what = f"failed {LIMIT} times in the same way (exit code {code}): {line or 'it wrote no error'}"
        say_problem(f"clearml-triggers: the worker process {what}")
        self._gave_up = True
        self.request_stop()
        return True

    def _end_what_gets_nowhere(self) -> None:
        """Kill a child that is frozen: it would not listen to SIGTERM."""
        if self._child is None or self._child.poll() is not None:
            return
        fault = self._liveness.fault(time.monotonic())
        if fault:
            _log.error("restarting the worker process: %s", fault)
            end(self._child, 0.0)

    def _restart_redis(self) -> None:
        assert self._redis is not None
        self._started_at["redis"] = time.monotonic()
        with self._ending:
            if self._stopping:
                return
            try:
                self._redis.start(cancelled=lambda: self._stopping)
            except (StoreUnavailable, Usage) as error:  # as of a full disk, or a binary that is being replaced
                if not self._stopping:
                    _log.error("%s", error)

    def _pause(self, name: str, words: str) -> None:
        seconds = self._backoff[name].pause(time.monotonic() - self._started_at[name])
        if not self._stopping:
            _log.warning("%s has ended; restarting it in %.1f s", words, seconds)
            self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        """Wait; a requested stop ends the wait (the byte stays in the pipe)."""
        if not self._stopping:
            with contextlib.suppress(OSError, ValueError):  # closed by a stop in another thread
                select.select([self._wake_read], [], [], seconds)

    def _start_child(self, hold: int | None = None) -> None:
        """Start the child with the reading end of a pipe whose writing end only this process has.

        `hold`: another such pipe, at whose end the child begins.
        """
        environment = child.child_environment(os.environ) | child.bootstrap_environment() | self._credentials
        environment["TRIGGERS_REDIS_URL"] = self.redis_url
        if self._redis is not None:  # a private Redis is not shared: its keys have the prefix of always
            environment = {name: value for name, value in environment.items() if name.upper() != child.KEY_PREFIX}
        environment[child.PARENT_DESCRIPTOR] = str(self._life_read)
        environment[HEALTH_FILE] = str(self._liveness.file)
        self._started_at["child"] = time.monotonic()
        passed = [self._life_read]
        if hold is not None:
            environment[child.HOLD_DESCRIPTOR] = str(hold)
            passed.append(hold)
        self._child = spawn(self._command, env=environment, pass_fds=passed, stderr=subprocess.PIPE)
        self._told = ChildErrors(self._child)
        self._liveness.begin(self._child.pid, self._started_at["child"])
