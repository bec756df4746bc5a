"""Schedules under chaos: `python -m tests.chaos.schedules [--seed N] [--seconds S] [--mode fleet|local] [--clocks]`.

A plan is carried out as ever while a schedule is due every few seconds beside its triggers. Nobody plans its times:
each multiple of the pace is one, by Redis' clock.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.plan import make_plan
from tests.chaos.run import SETTLE_SECONDS, Run
from tests.chaos.script import BASE, QUEUE, declare
from triggers.rules.schedules.zones import utc_text

#: Between two times, seconds, and the name of the schedule.
EVERY, NAME = 4, "pulse"
#: A page of ClearML tasks.
PAGE = 400


class ScheduledRun(Run):
    """A run whose script has the schedule as well."""

    SCRIPT = ("tests.chaos.schedules", "serve")

    def _settle(self) -> None:
        # the schedule goes on: what is due by now has to be launched in the time that all else has
        self.first, self.last = time.time() - self.now, time.time()
        super()._settle()
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._missing() and time.monotonic() < deadline:
            self._step()

    def _times(self) -> list[str]:
        """All times from when everything was registered until the last disturbance; of stepped clocks none is known."""
        if self.plan.stepped:
            return []
        numbers = range(int(self.first) // EVERY + 1, int(self.last) // EVERY + 1)
        return [utc_text(number * EVERY * 1000) for number in numbers]

    def _missing(self) -> list[str]:
        runs = self._runs()
        return [at for at in self._times() if at not in runs]

    def _runs(self) -> Counter[str]:
        """How often agents started what was launched for each time."""
        starts = Counter(start["task"] for start in self.control.run_starts())
        found, page = Counter[str](), 0
        while tasks := self._page(page):
            for task in tasks:
                said = task.get("hyperparams", {}).get("Args", {})
                if said.get("trigger", {}).get("value") == NAME:
                    found[said["source"]["value"]] += starts[task["id"]]
            page += 1
        return +found

    def _page(self, number: int) -> list[dict[str, Any]]:
        fields = ["id", "hyperparams"]
        body = {"parent": [self.base], "only_fields": fields, "order_by": ["created"], "page": number}
        return list(self.client.call("tasks.get_all", body | {"page_size": PAGE, "search_hidden": True})["tasks"])

    def _judge(self) -> None:
        super()._judge()
        runs = self._runs()
        for at in self._missing():
            self.report.violations.append(f"{NAME}: its time {at} was not launched")
        for at, number in runs.items():
            if number > 1:
                self.report.violations.append(f"{NAME}: its time {at} ran {number} times")
        if not runs:
            self.report.violations.append(f"{NAME}: no time ran at all")
        self.times = len(runs)


def serve() -> None:
    """Be the user's script."""
    from triggers import TriggerScheduler

    scheduler = TriggerScheduler(1 / 60, force_create_task_project="operations", force_create_task_name="chaos")
    declare(scheduler)
    scheduler.add_schedule(
        name=NAME,
        schedule_task_id=os.environ[BASE],
        schedule_queue=QUEUE,
        cron=f"*/{EVERY} * * * * *",
        catch_up="all",
        task_parameters={"Args/trigger": NAME, "Args/source": "${schedule.id}"},
    )
    scheduler.start()


def main() -> int:
    """Run one seed, print, 0 if every promise was kept."""
    if sys.argv[1:] == ["serve"]:
        serve()
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.schedules", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--mode", choices=("fleet", "local"), default="fleet")
    parser.add_argument("--clocks", action="store_true")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{asked.seed}-"))
    run = ScheduledRun(make_plan(asked.seed, asked.seconds, asked.mode, stepped=asked.clocks), folder)
    try:
        report = run.go()
    finally:
        run.close()
    print("\n".join([*report.lines(), f"{run.times} times of the schedule ran"]))
    return int(bool(report.violations))


if __name__ == "__main__":
    sys.exit(main())
