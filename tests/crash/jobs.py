"""Running scenarios side by side: a recording, then every point of it, in several worlds if there are many points."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import report
from tests.crash.edges import Point
from tests.crash.everywhere import Run
from tests.crash.nursery import Nursery
from tests.crash.processes import Server
from tests.crash.scenarios import Scenario
from tests.crash.world import World

#: CRASH_TESTS=all visits every point of every scenario, also those that an earlier scenario has
EVERYTHING = os.environ.get("CRASH_TESTS") == "all"
#: worlds at the same time
WORLDS = 8
#: points for which a job takes one world more: a world of its own takes as long to begin and end as two points
POINTS_A_WORLD = 15


@dataclass(frozen=True)
class Job:
    """One scenario and what is done at its points.

    Args:
        deed: kill, freeze or forget.
        scenario: what happens.
        workers: processes that serve the world.
        whole: all points; otherwise those that no earlier job of the same deed has visited.
        passages: 2 visits the first and the second passage of each edge, 1 the first alone.
    """

    deed: Callable[[Run, Point], bool]
    scenario: Scenario
    workers: int = 1
    whole: bool = False
    passages: int = 2

    @property
    def name(self) -> str:
        """Shown in the test's name."""
        return f"{self.deed.__name__}: {self.scenario.name}"


@dataclass
class Visited:
    """The points that the jobs of one deed have, in the order of the jobs."""

    points: set[Point] = field(default_factory=set)
    turns: dict[str, threading.Event] = field(default_factory=dict)

    def choose(self, job: Job, found: Iterable[Point]) -> list[Point]:
        """Take those that no earlier job has."""
        everything = job.whole or EVERYTHING
        chosen = [p for p in found if p.nth <= job.passages and (everything or p not in self.points)]
        self.points.update(chosen)
        return chosen


class Jobs:
    """Runs jobs in a pool; each one's outcome is asked for by its test."""

    def __init__(self, server: Server, nursery: Nursery, folder: Path, jobs: Iterable[Job]) -> None:
        self.server, self.nursery, self.folder = server, nursery, folder
        self.pool, self.worlds = ThreadPoolExecutor(WORLDS), ThreadPoolExecutor(3 * WORLDS)
        self.room = threading.Semaphore(WORLDS)
        self.numbers = itertools.count(1)
        self.visited: dict[str, Visited] = {}
        self.outcomes: dict[str, Future[None]] = {}
        before: dict[str, threading.Event] = {}
        for job in jobs:
            deed = job.deed.__name__
            chosen = threading.Event()
            visited = self.visited.setdefault(deed, Visited())
            self.outcomes[job.name] = self.pool.submit(self._run, job, visited, before.get(deed), chosen)
            before[deed] = chosen

    def _run(self, job: Job, visited: Visited, before: threading.Event | None, chosen: threading.Event) -> None:
        points: queue.SimpleQueue[Point] = queue.SimpleQueue()
        others: list[Future[None]] = []
        try:
            with _Runs(self, job) as run:
                found = run.record()
                if before:
                    before.wait()
                for point in visited.choose(job, found):
                    points.put(point)
                chosen.set()
                others = [self.worlds.submit(self._join, job, points) for _ in range(points.qsize() // POINTS_A_WORLD)]
                self._visit(job, run, points)
        finally:
            chosen.set()
        for other in others:  # the room of this world is theirs now
            other.result()

    def _join(self, job: Job, points: queue.SimpleQueue[Point]) -> None:
        if not points.empty():
            with _Runs(self, job) as run:
                self._visit(job, run, points)

    def _visit(self, job: Job, run: Run, points: queue.SimpleQueue[Point]) -> None:
        while True:
            try:
                point = points.get_nowait()
            except queue.Empty:
                break
            if not job.deed(run, point):
                report.tally(job.deed.__name__).not_reached.append(f"{job.scenario.name}: {point}")
        run.end()

    def stop(self) -> None:
        """Wait for what runs; drop the rest."""
        self.pool.shutdown(cancel_futures=True)
        self.worlds.shutdown(cancel_futures=True)


class _Runs:
    """One run in a world of its own, which ends with it."""

    def __init__(self, jobs: Jobs, job: Job) -> None:
        self.jobs, self.job = jobs, job

    def __enter__(self) -> Run:
        self.jobs.room.acquire()
        self.world: World | None = None
        try:
            folder = self.jobs.folder / str(next(self.jobs.numbers))
            self.world = World(self.jobs.server, folder, workers=self.job.workers, nursery=self.jobs.nursery)
            run = Run(self.world, self.job.scenario)
            run.begin()
        except BaseException:
            self.__exit__()
            raise
        return run

    def __exit__(self, *_: object) -> None:
        if self.world is not None:
            self.world.stop()
        self.jobs.room.release()
