"""Threads that stop before every call that leaves the process: a test chooses which resumes, and how the call ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

#: How a call may end. `late`: the caller hears nothing, and the call takes effect whenever the test says.
#: `twice`: the reply is lost, and the client below us sends the same again. `killed ...`: SIGKILL at that point.
Outcome = Literal["ok", "lost request", "lost reply", "late", "twice", "killed before", "killed after", "killed, late"]
FAULTS: tuple[Outcome, ...] = (
    "lost request",
    "lost reply",
    "late",
    "twice",
    "killed before",
    "killed after",
    "killed, late",
)

#: Longest wait for a thread to reach its next call: it only computes in between.
PATIENCE_SECONDS = 120.0


class Killed(BaseException):
    """The process is dead: nothing of it runs any more, `finally` included, as far as the world can tell."""


class Actor:
    """One thread of a process, running one stage from call to call."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        self.name, self.point = name, ""
        self.ended = self.killed = False
        self.error: BaseException | None = None
        #: what the lease-keeping threads of this actor would do now and then
        self.keepers: list[Callable[[], None]] = []
        self._body, self._outcome = body, "ok"
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    def start(self) -> None:
        """Run to the first call."""
        self._thread.start()
        self._wait()

    def resume(self, outcome: Outcome = "ok") -> None:
        """Let the call before which it stands end like this, and run to the next one."""
        assert not self.ended, f"{self.name} has ended"
        self._outcome = outcome
        self._go.release()
        self._wait()

    def kill(self) -> None:
        """SIGKILL where it stands."""
        self.killed = True
        if not self.ended:
            self.resume("killed before")

    def _wait(self) -> None:
        assert self._back.acquire(timeout=PATIENCE_SECONDS), f"{self.name} hangs after {self.point}"
        if self.ended:
            self._thread.join()

    def _main(self) -> None:
        _here.actor = self
        try:
            self._body()
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.ended = True
            self._back.release()

    def call(
        self,
        point: str,
        effect: Callable[[], Any],
        lost: Callable[[str], Exception],
        postpone: Callable[[str, Callable[[], Any]], None],
    ) -> Any:
        """Stand before a call until the test decides how it ends. In the actor's own thread."""
        if self.killed:
            raise Killed
        self.point = point
        self._back.release()
        self._go.acquire()
        outcome = self._outcome
        if outcome.startswith("killed"):
            self.killed = True
        if outcome in ("lost reply", "killed after", "twice"):
            try:
                effect()
            except Exception:
                if outcome != "twice":  # whatever the answer was, nobody heard it
                    pass
        if outcome in ("late", "killed, late"):
            postpone(point, effect)
        if self.killed:
            raise Killed
        if outcome in ("ok", "twice"):
            return effect()
        raise lost(f"{point}: {outcome}")


_here = threading.local()


def current() -> Actor | None:
    """The actor whose thread this is; None in the test's own thread."""
    return getattr(_here, "actor", None)


@contextmanager
def renewing(every_seconds: float, extend: Callable[[], None]) -> Iterator[None]:
    """Stands in for `leases.renewing`: the test says when a lease is renewed."""
    actor = current()
    if actor is None:
        yield
        return
    actor.keepers.append(extend)
    try:
        yield
    finally:
        if extend in actor.keepers:
            actor.keepers.remove(extend)
