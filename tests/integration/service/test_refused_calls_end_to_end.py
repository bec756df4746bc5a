"""Real processes and a server that refuses calls: how few they make together meanwhile, and that nothing is lost."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections import Counter
from email.utils import formatdate
from typing import Any

import pytest

from tests.acceptance.conftest import Desk, desk, eventually
from tests.integration.service.test_calls_at_rest import CELERY, script
from tests.integration.service.test_processes import output_of
from triggers.clearml_api.pauses import FIRST_SECONDS

__all__ = ["desk"]

pytestmark = [pytest.mark.slow, pytest.mark.sandbox_control]

#: Callers that are not a client of the test: workers and scripts, and the SDK in them.
OURS, SDK = "clearml-triggers*", "sdk*"

#: Threads of each process that may have a call under way when the first one is refused.
THREADS = 4


class Refusal:
    """The server refuses calls from now on; counts what it is asked meanwhile."""

    def __init__(self, desk: Desk, endpoint: str = "*", caller: str = OURS, kind: str = "busy", **options: Any) -> None:
        self._desk, self._caller = desk, caller
        self._began = time.monotonic()
        self._after = max((entry["number"] for entry in desk.sandbox.control.requests()), default=0)
        self.id = desk.sandbox.control.fault(kind, endpoint, caller=caller, **options)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def refused(self) -> Counter[str]:
        """Calls that were refused, by endpoint."""
        log = self._desk.sandbox.control.requests(after=self._after)
        return Counter(entry["endpoint"] for entry in log if entry["faults"])

    def has_lasted(self, seconds: float) -> bool:
        """Whether so long, and until calls were refused and tried again, however slow the machine is."""
        return self.seconds > seconds and self.refused().total() >= 2

    def rounds(self) -> int:
        """How often one process asks at most: pauses double, and none is shorter than the first."""
        left, rounds, pause = self.seconds, 1, FIRST_SECONDS
        while left >= pause:
            left, rounds, pause = left - pause, rounds + 1, min(2 * pause, 60.0)
        return rounds

    def end(self) -> None:
        self._desk.sandbox.control.clear_faults(self.id)


def bound(processes: int, refusal: Refusal) -> int:
    """What so many processes ask together: what was under way, then one call of each after each pause."""
    return processes * (THREADS + refusal.rounds() - 1)


def all_launched_once(desk: Desk, changed: list[str], what: str) -> None:
    eventually(lambda: len(desk.launched_for()) == len(changed), what, seconds=150, told=desk.output)
    assert desk.launched_for() == dict.fromkeys(changed, 1)


@pytest.fixture
def cluster(desk: Desk, redis_url: str) -> Desk:
    """Five processes that serve a registered scheduler: two workers of each kind, and beat."""
    environment = {"TRIGGERS_REDIS_URL": redis_url, "TRIGGERS_LEASE_SECONDS": "5"}
    registering = desk.run(*script(desk, "cluster", models=False, verb="register", **PARAMETERS), **environment)
    assert registering.wait(60) == 0, desk.output()
    for number, queues in enumerate(("poll,match", "poll,match", "dispatch", "dispatch")):
        desk.run(*CELERY, "worker", "-Q", queues, "-n", f"w{number}@%h", "-c", str(THREADS), **environment)
    desk.run(*CELERY, "beat", **environment)
    eventually(lambda: desk._registered() >= 3, "it polls", seconds=120, told=desk.output)
    first = desk.fail_task()
    all_launched_once(desk, [first], "the first launch")
    return desk


#: By which `launched_for` knows the object.
PARAMETERS = {"parameters": {"Args/source": "${task.id}"}}

CASES: dict[str, dict[str, Any]] = {
    "everything": {},
    "everything, for three seconds": {"retry_after": 3},
    "everything, with what is no time": {"retry_after": "soon"},
    "everything, with a time that is over": {"retry_after": formatdate(0, usegmt=True)},
    "polls": {"endpoint": "tasks.get_all_ex"},
    "clones": {"endpoint": "tasks.clone"},
    "enqueuing": {"endpoint": "tasks.enqueue*"},
}


@pytest.mark.timeout(480)
def test_five_processes_ask_little_while_calls_are_refused_and_launch_all_afterwards(cluster: Desk) -> None:
    """Each case in turn; some ten seconds of refusals each, in which one process could ask hundreds of times."""
    changed = list(cluster.launched_for())
    for name, options in CASES.items():
        refusal = Refusal(cluster, **options)
        changed += [cluster.fail_task() for _ in range(5)]
        eventually(lambda: refusal.has_lasted(10), name)  # noqa: B023 - called before the next turn
        made, most = refusal.refused(), bound(4, refusal)
        assert sum(made.values()) <= most, (name, made, most)
        refusal.end()
        all_launched_once(cluster, changed, name)
    assert all(process.poll() is None for process in cluster.started[1:]), cluster.output()


@pytest.mark.timeout(600)
def test_a_script_of_local_mode_waits_and_says_so_and_ends_when_it_is_asked(desk: Desk) -> None:
    """Also where the SDK in it is refused, for ten years."""
    environment = {"CLEARML_WORKER_ID": "sdk"}
    serving = desk.run(*script(desk, "local", models=False, verb="start", **PARAMETERS), **environment)
    eventually(lambda: desk._registered() >= 3, "it polls", seconds=60, told=desk.output)
    Refusal(desk, caller=SDK, retry_after=315_360_000)
    refusal = Refusal(desk)
    changed = [desk.fail_task() for _ in range(5)]
    eventually(lambda: refusal.has_lasted(10), "a while passes")
    made, most = refusal.refused(), bound(2, refusal)
    assert sum(made.values()) <= most, made
    status = told(desk, "status")
    assert "the ClearML server refuses calls; the next call is made in" in status
    assert "429/0: Too many requests" in status
    refusal.end()
    all_launched_once(desk, changed, "what happened meanwhile")
    said = output_of(desk, serving)
    assert re.search(r"the ClearML server refuses calls for \d+ s: 429/0: Too many requests; polls and launches", said)
    pauses = sum(refusal.refused().values())  # each refusal may make the pause that all keep a longer one
    assert said.count("refuses calls") <= pauses, "one line for each pause at most"
    assert "not asked" not in said
    eventually(lambda: "accepts calls again" in output_of(desk, serving), "it says so", told=desk.output)
    refusal = Refusal(desk, retry_after=3600)
    eventually(lambda: sum(refusal.refused().values()), "a refusal for an hour", told=desk.output)
    serving.send_signal(signal.SIGTERM)
    serving.wait(60)


def told(desk: Desk, *verb: str, code: int | None = None, within_seconds: float = 60.0) -> str:
    """What a verb says; it ends soon."""
    process = desk.run(sys.executable, "-m", "clearml_triggers", *verb)
    ended = process.wait(within_seconds)
    assert code in (None, ended), desk.output()
    return " ".join((desk.folder / f"output {desk.started.index(process)}.txt").read_text().split())


@pytest.mark.timeout(600)
def test_verbs_of_people_end_at_once_and_say_why(desk: Desk) -> None:
    desk.run(*script(desk, "local", models=False, verb="start", **PARAMETERS))
    eventually(lambda: desk._registered() >= 3, "it polls", seconds=60, told=desk.output)
    failed = desk.fail_task()
    all_launched_once(desk, [failed], "a launch")
    Refusal(desk, retry_after=3600)
    busy = "429/0: Too many requests; the server refuses calls for 3600 s"
    explained = told(desk, "explain", "on failure", failed, code=1)
    assert explained.startswith("clearml-triggers: auth.login at ")
    assert explained.endswith(busy)
    examined = told(desk, "doctor", code=1)
    assert busy in examined
    assert "wait: polls and launches resume by themselves" in examined
