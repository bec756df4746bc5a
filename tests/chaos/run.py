"""One seed carried out: one thread makes changes, disturbs, and watches what runs; then the checker looks."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import redis

from tests.chaos import checker
from tests.chaos.changes import Changes, Life
from tests.chaos.disturbances import CALLER, Disturber
from tests.chaos.facts import Facts, Observer
from tests.chaos.fleet import SETTINGS, Fleet
from tests.chaos.local import Local
from tests.chaos.person import Person
from tests.chaos.plan import KINDS, Change, Disturbance, Plan
from tests.chaos.polls import SOURCES, Polls
from tests.chaos.receiver import HOSTS, Receivers
from tests.chaos.report import Recovery, Report
from tests.chaos.script import BASE, PORT, QUEUE, REUSED, REUSED_QUEUE
from tests.chaos.steps import CLOCKS
from tests.clocks.stepping import SteppedClock
from tests.crash.processes import Server, eventually
from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store, connect, open_ledger
from triggers.ledger.deployment import schedulers

#: seconds between two looks at what has run
LOOK_SECONDS = 0.2
#: how long this side waits for an answer of the system's Redis: only this side resumes a frozen one
ASK_SECONDS = 0.3
#: after the last disturbance everything has to be done within so many seconds: the promised 30, and what waits in line
SETTLE_SECONDS = 75.0
#: then so long nothing more may happen: more than a lease and a late answer
QUIET_SECONDS = 8.0
START_SECONDS = 90.0
#: where the server is slow: what a call may take, as in production, and the longest time that an answer takes
PATIENT = {"request_timeout_seconds": "20"}
SLOWEST_SECONDS = 30.0
#: gives a process another time of the day
CLOCK = "import os, time\n_true = time.time\n_by = float(os.environ.get('CHAOS_CLOCK', 0))\n"
CLOCK += "time.time = lambda: _true() + _by\n"
#: budgets of a run that forgets all that is over, and how soon: by constants that nobody else sets
FORGETFUL = {
    "firings_megabytes": "0.000001",
    "launched_megabytes": "0.000001",
    "marks_megabytes": "0.000001",
    "sweep_window_seconds": "15",
}
FORGETS = """
if os.environ.get("CHAOS_FORGETS"):
    from triggers.ledger.firings import forgetting
    from triggers.stages import budgets, marks_budget
    forgetting.KEPT_MS, marks_budget.PAUSE_MS = 8_000, 1_000
    budgets.keep_to_budgets.__defaults__ = (2.0,)
"""


@dataclass
class Pending:
    """A disturbance, and the changes that had not run yet when it came."""

    kind: str
    at: float
    under_way: set[tuple[str, str]]
    goes_on: bool = False


class Run:
    """Everything of one seed. `go` is called once."""

    #: The module of the user's script, and its arguments.
    SCRIPT: ClassVar[tuple[str, ...]] = ("tests.chaos.script",)

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "clock").mkdir()
        (folder / "clock" / "sitecustomize.py").write_text(CLOCK + FORGETS)
        self.server = Server()
        self.control, self.client = self.server.control(), self.server.client("chaos")
        clocks = plan.clocks
        self.control.clock(offset_seconds=clocks.server, replicas=list(clocks.replicas), by="caller")
        self._make_server()
        calls = folder / "calls"
        self.receivers = Receivers(plan.seed)
        self.observer = Observer(self.control, self.client, self.reused, calls, self.receivers)
        extra = {BASE: self.base, REUSED: self.reused, "CRASH_TEST_CALLS": str(calls)}
        extra |= {PORT: str(self.receivers.port), "TRIGGERS_WEBHOOK_ALLOW": ",".join(HOSTS)}
        extra |= dict.fromkeys(("CLEARML_WEB_HOST", "CLEARML_FILES_HOST"), self.server.url)
        settings = SETTINGS | (PATIENT if "slow" in plan.extras else {})
        if "forget" in plan.extras:
            settings, extra = settings | FORGETFUL, extra | {"CHAOS_FORGETS": "1"}
        stepped = {}
        if plan.stepped:
            stepped = SteppedClock.of_each(CLOCKS[plan.mode], folder / "clock")
        self.system: Fleet | Local
        if plan.mode == "fleet":
            shifted = (folder / "clock", clocks.workers)
            self.system = Fleet(folder, self.server, settings=settings, extra=extra, shifted=shifted, clocks=stepped)
        else:
            self.system = Local(folder, self.server, settings=settings, extra=extra, clocks=stepped)
        self.disturber = Disturber(self.system, self.control, plan.seed)
        self.changes = Changes(self.client, self.observer, self._saw_it_end, self.disturber.promoted_at)
        self.person = Person(self._ask, runs=self._have_run, server_now_ms=self._server_now_ms, apart=clocks.apart)
        self.disturber.confirmed_at = lambda: self.person.acted_at
        self.report = Report(plan.seed, plan.seconds, plan.mode, plan.stepped, plan.extras)
        self._turn = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._lives: list[tuple[Life, Callable[[], bool]]] = []
        self._begun: dict[tuple[str, str], float] = {}
        self._pending: list[Pending] = []
        self._redis_is_away = False
        self._polls = Polls(plan.late_seconds)
        self.disturber.forgot = self._polls.begin  # a poll that Redis forgot does not count

    def _make_server(self) -> None:
        call = self.client.call
        project = call("projects.create", {"name": "launches", "description": ""})["id"]
        body = {"type": "training", "project": project}
        self.base = str(call("tasks.create", {"name": "base task", **body})["id"])
        self.reused = str(call("tasks.create", {"name": "reused task", **body})["id"])
        for queue in (QUEUE, REUSED_QUEUE):
            call("queues.create", {"name": queue})
        self.control.agent(QUEUE, ["complete", "fail"], run_seconds=0.1)
        self.control.agent(REUSED_QUEUE, "complete", run_seconds=0.1)

    # ---- the system's own view, for what has to be waited for; the checker has none of it ----
    def _ledger(self) -> Ledger | None:
        address = self.system.redis_address()
        if not address:
            return None
        client = connect(address, timeout_seconds=ASK_SECONDS)
        try:
            (scheduler,) = schedulers.all_of(client)
        except (redis.RedisError, ValueError):
            client.close()
            self._redis_is_away = True
            return None
        return open_ledger(Store(client), scheduler, Settings(**SETTINGS))  # type: ignore[arg-type]

    def _ask(self, ask: Callable[[Ledger], Any]) -> Any:
        """Something of the ledger; None while Redis is away, which is found out once in a step."""
        ledger = None if self._redis_is_away else self._ledger()
        if ledger is None:
            return None
        try:
            return ask(ledger)
        except redis.RedisError:
            self._redis_is_away = True
            return None
        finally:
            ledger.store.client.close()

    def _saw_it_end(self, trigger: str, object_id: str) -> bool:
        pair = (trigger, object_id)
        marks = self._ask(lambda ledger: ledger.matching.marks([pair]))
        return bool(marks) and not marks[pair].active

    def _have_run(self, trigger: str) -> frozenset[str]:
        return frozenset(name for kind, name in self.observer.runs() if kind == trigger)

    def _server_now_ms(self) -> int:
        return int((time.time() + float(self.control.clock()["offset_seconds"])) * 1000)

    def _is_polled(self) -> bool:
        self._redis_is_away = False

        def look(ledger: Ledger) -> bool:
            version = ledger.registry.version()
            return bool(version) and all(ledger.reading.cursor(s).plan >= version for s in SOURCES)

        return bool(self._ask(look))

    # ---- the run ----
    def go(self) -> Report:
        """Carry it out, check it."""
        started = time.monotonic()
        self.system.start()
        self.system.add("script", ["python", "-m", *self.SCRIPT])
        eventually(self._is_polled, lambda: f"all is polled\n{self.system.log()}", seconds=START_SECONDS)
        for when in ("before", "after"):
            self.control.fault("delay", caller=CALLER, when=when, seconds=self.plan.call_seconds)
        self.control.late(self.plan.late_seconds)
        self._began = time.monotonic()
        self.report.start_seconds = self._began - started
        for change in self.plan.changes:
            self._at(change.at, lambda change=change: self._change(change))  # type: ignore[misc]
        for disturbance in self.plan.disturbances:
            self._at(disturbance.at, lambda one=disturbance: self._disturb(one))  # type: ignore[misc]
        while self._due:
            self._step()
        self._settle()
        self._judge()
        return self.report

    @property
    def now(self) -> float:
        """Seconds since the first change could come."""
        return time.monotonic() - self._began

    def _at(self, at: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._turn), do))

    def _step(self) -> None:
        """Do what is due, look at what has run, resume what waited for it."""
        until = self.now + LOOK_SECONDS
        while self._due and self._due[0][0] <= until:
            time.sleep(max(0.0, self._due[0][0] - self.now))
            heapq.heappop(self._due)[2]()
        time.sleep(max(0.0, until - self.now))
        self.observer.look()
        self._note_recoveries()
        self._redis_is_away = False
        if self.plan.stepped:
            self._ask(self._polls.look)
        lives, self._lives = self._lives, []
        for life, is_true in lives:
            if is_true():
                self._go_on(life)
            else:
                self._lives.append((life, is_true))

    def _change(self, change: Change) -> None:
        self._go_on(self.changes.begin(change))
        if KINDS[change.kind].extra == "operator":
            self.person.book.changed |= dict.fromkeys(change.objects, time.monotonic())
        self.report.changes += 1
        if KINDS[change.kind].promise == "exactly" and KINDS[change.kind].rounds == 1 and not KINDS[change.kind].alone:
            self._begun |= dict.fromkeys(((change.kind, name) for name in change.objects), self.now)

    def _go_on(self, life: Life) -> None:
        waits = next(life, None)
        if waits is not None:
            self._lives.append((life, waits))

    def _disturb(self, what: Disturbance) -> None:
        if what.steps_the_server:
            if self.disturber.copies or not self._polls.completed:
                if self.now < what.at + SETTLE_SECONDS:
                    self._at(self.now + LOOK_SECONDS, lambda: self._disturb(what))
                return
            self._polls.begin()
        if what.kind.startswith("operator"):
            self.disturber.done[what.kind] += 1
            self._go_on(self.person.act(what))
            return
        undo = self.disturber.do(what)
        if undo is not None:
            self._at(self.now + what.seconds, undo)
        if self._begun:
            self._pending.append(Pending(what.name, self.now, set(self._begun)))

    def _note_recoveries(self) -> None:
        runs, now = self.observer.runs(), self.now
        for changed in [changed for changed in self._begun if runs[changed]]:
            self.report.latencies.append(now - self._begun.pop(changed))
        for one in self._pending:
            left = one.under_way & self._begun.keys()
            if not one.goes_on and left != one.under_way:
                one.goes_on = True
                meanwhile = tuple(d.name for d in self.plan.disturbances if one.at < d.at < now)
                self.report.recoveries.append(Recovery(one.kind, one.at, now - one.at, meanwhile))
            if not left:
                self.report.completions.append(now - one.at)
            one.under_way = left
        self._pending = [one for one in self._pending if one.under_way]

    def _settle(self) -> None:
        """Wait until everything promised has run, and then for what nobody promised."""
        began, slowest = self.now, SLOWEST_SECONDS if "slow" in self.plan.extras else 0.0
        until = began + SETTLE_SECONDS + 2 * slowest  # what met one such answer may meet another
        until += self.plan.late_seconds * self.plan.line  # each waits until reads show that the one before it has ended
        self.receivers.calm.set()
        missing = checker.missing(self.plan, self._facts())
        while (self._lives or missing) and self.now < until:
            self._step()
            left = checker.missing(self.plan, self._facts())
            self.report.waited_for += [(self.now - began, name) for name in missing if name not in left]
            missing = left
        self.report.settled_seconds = self.now - began
        quiet_until = self.now + QUIET_SECONDS + slowest
        while self.now < quiet_until:
            self._step()

    def _facts(self) -> Facts:
        promotions = len(self.disturber.promoted_at)
        return replace(self.observer.facts(), book=self.person.book, promotions=promotions)

    def _judge(self) -> None:
        facts, report = self._facts(), self.report
        report.objects = len(list(self.plan.objects()))
        report.runs, report.calls = len(facts.starts), len(facts.calls)
        report.deliveries = len(facts.deliveries)
        report.repeated = report.deliveries - len({one.id for one in facts.deliveries})
        report.disturbances, report.calls_hit = self.disturber.done, self.disturber.calls_hit
        report.violations = checker.violations(self.plan, facts)
        if self._lives:  # also where fewer rounds would do, since Redis forgot some
            report.violations.append(f"{len(self._lives)} objects or acts wait for something that does not come")

    def close(self) -> None:
        """End every process."""
        self.system.stop()
        self.receivers.close()
        self.control.close()
        self.client.close()
        self.server.stop()
