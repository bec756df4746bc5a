"""Killing, freezing and forgetting at every point of a scenario, one point and one change after the other."""

from __future__ import annotations

import time

from tests.crash import report
from tests.crash.edges import Deed, Hit, Point
from tests.crash.processes import eventually
from tests.crash.scenarios import Scenario
from tests.crash.world import World

#: changes made for one point until some process comes there
TRIES = 2


class Run:
    """One scenario in one world: what was changed, and what has to be true of it in the end."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world, self.scenario = world, scenario
        self.changed: list[str] = []
        self.others: set[str] = set()

    def begin(self) -> None:
        """Start it; make one change, a copy of what it launched as people make them, and a draft of somebody else."""
        world = self.world
        world.begin(*self.scenario.triggers(world))
        self.finish(self.change(), "the first change")
        launched = [task["id"] for task in world.launched() if task["status"] != "created"]
        self.others = {world.call("tasks.clone", task=id_)["id"] for id_ in launched[:1]}
        self.others.add(world.create_task("of somebody else"))

    def change(self) -> list[str]:
        if self.scenario.restarts:
            self.world.workers.kill_all()
        self.world.clear_faults()
        objects = self.scenario.change(self.world)
        self.changed += objects
        return objects

    def is_done(self, objects: list[str]) -> bool:
        """All firings have ended, and everything they launched has run."""
        if not self.world.ended(objects) or (self.scenario.strays and self.world.has_strays()):
            return False
        return all(self.scenario.count(self.world, id_) for id_ in objects)

    def finish(self, objects: list[str], what: str) -> None:
        eventually(lambda: self.is_done(objects), f"{what}: {objects} in {self.world.name}\n{self.world.log()}")
        self.check(objects, what)

    def check(self, objects: list[str], what: str) -> None:
        for id_ in objects:
            count = self.scenario.count(self.world, id_)
            assert count == 1 or (count > 1 and not self.scenario.exactly), (
                f"{what}: {id_} was launched {count} times\n{self.world.history(id_)}\n{self.world.log()}"
            )

    def record(self) -> list[Point]:
        """The points that one change passes, all of them twice."""
        self.world.control.trace()
        self.finish(self.change(), "recording")
        return self.world.control.traced()

    def reach(self, point: Point, deed: Deed) -> tuple[int, Hit | None, list[str]]:
        """Make changes until a process comes to the point: its number, the process, the change under way."""
        control, objects, number = self.world.control, [], 0
        for _ in range(TRIES):
            number = control.arm(point, deed, snapshot=self.world.folder / "redis")
            objects = self.change()
            at_most = f"{deed} {point}: {objects}\n{self.world.log()}"
            eventually(lambda: control.hit(number) or self.is_done(objects), at_most)  # noqa: B023
            if hit := self._soon(number):
                return number, hit, objects
            control.disarm()
            self.check(objects, f"not at {point}")
        return number, None, objects

    def _soon(self, number: int) -> Hit | None:
        """Ticks come every second: a point that belongs to them may come after the change is done."""
        deadline = time.monotonic() + 1.5
        while (hit := self.world.control.hit(number)) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return hit

    def end(self) -> None:
        """What holds after everything: nothing doubled late, nothing left, nothing of others gone."""
        world = self.world
        world.clear_faults()
        eventually(lambda: not world.has_strays(), "drafts of void attempts are looked for")
        eventually(lambda: not world.drafts() - self.others, f"no draft of ours is left besides {self.others}")
        self.check(self.changed, "in the end")
        if world.registered[0].policy.single_instance:
            assert world.most_at_once() == 1, "single instance"
        present = world.call("tasks.get_all", id=list(self.others), only_fields=["id", "status"])["tasks"]
        assert {task["id"] for task in present} == self.others, "what belongs to others is there"
        assert all(task["status"] == "created" for task in present), "and untouched"


def kill(run: Run, point: Point) -> bool:
    """Kill the worker there; another is started."""
    _, hit, objects = run.reach(point, "kill")
    run.finish(objects, f"killed {point}")
    if hit is not None:
        report.tally("kill").recovered(_went_on(run, objects, hit))
    return hit is not None


def freeze(run: Run, point: Point) -> bool:
    """Freeze a worker there until its leases have expired and another has done its work, then let it go on."""
    number, hit, objects = run.reach(point, "stop")
    world = run.world
    if hit is not None:
        run.finish(objects, f"frozen {point}")
        report.tally("freeze").recovered(_went_on(run, objects, hit))
        outlived = hit.at + 1.2 * world.settings.lease_seconds
        eventually(lambda: time.time() > outlived, "the lease has expired")
        world.workers.go_on(hit.pid)
        eventually(lambda: world.control.has_resumed(number), "it goes on")
    run.finish(objects, f"gone on {point}")
    return hit is not None


def forget(run: Run, point: Point) -> bool:
    """Let Redis come back, after the launch, as it was there."""
    number, hit, objects = run.reach(point, "snapshot")
    run.finish(objects, f"copied {point}")
    if hit is not None:
        began = time.time()
        run.world.roll_back_to(run.world.control.snapshot(number))
        run.world.wait_for_epoch()
        run.finish(objects, f"forgotten since {point}")
        report.tally("forget").recovered(time.time() - began)
    return hit is not None


def _went_on(run: Run, objects: list[str], hit: Hit) -> float:
    """Seconds from the crash to the last run and the last end of a firing."""
    ran = [at for id_ in objects for at in run.world.run_starts_of(id_)]
    return max(0.0, max([run.world.ended_at(objects), *ran]) - hit.at)
