"""From the nominal time of a schedule to its launch in the queue, by the server's times; and 1,000 of one minute."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.benchmarks.latency import milliseconds
from tests.benchmarks.rest import _drain
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.script import running_text
from tests.benchmarks.server import Server, server
from tests.benchmarks.worker import eventually

#: Schedules of which one is due at each second, and how many launches to wait for.
PRECISE, LAUNCHES = 20, 200
MANY = 1_000
SLOWEST_BOUND, MANY_BOUND = Bound(most=1_000), Bound(most=10)

SCRIPT = """
from triggers import TaskScheduler

scheduler = TaskScheduler(force_create_task_project="DevOps", force_create_task_name="schedules")
for number in range({number}):
    scheduler.add_task(
        name=f"schedule {{number}}", schedule_task_id="{base}", queue="default", cron={cron},
        task_parameters={{"Args/at": "${{schedule.at}}"}},
    )
scheduler.start()
"""


def measure(runs: int) -> list[Result]:
    """Local mode as a user's script, at its tick of a second."""
    medians, slowest, many = list[float](), list[float](), list[float]()
    for _ in range(runs):
        found = delays()
        medians.append(quantiles(found, n=100)[49])
        slowest.append(quantiles(found, n=100)[98])
        many.append(all_at_once())
    return [
        Result("nominal time until enqueued, 1 s tick, median", "ms", tuple(medians), note=load()),
        Result("nominal time until enqueued, 1 s tick, 99 of 100", "ms", tuple(slowest), bound=SLOWEST_BOUND),
        Result("1,000 schedules of one minute, until all are enqueued", "s", tuple(many), bound=MANY_BOUND),
    ]


def delays() -> list[float]:
    """Milliseconds of each launch where one schedule is due at each second."""
    cron = f'f"{{number}},{{number + {PRECISE}}},{{number + {2 * PRECISE}}} * * * * *"'
    with scheduling(PRECISE, cron) as of:
        eventually(lambda: len(launched(of)) >= LAUNCHES, "so many were launched", seconds=LAUNCHES + 120)
        return [enqueued - nominal for nominal, enqueued in launched(of)]


def all_at_once() -> float:
    """Seconds from a full minute until the last of all schedules was enqueued."""
    with scheduling(MANY, '"* * * * *"') as of:
        eventually(lambda: len(launched(of)) >= MANY, "all are launched", seconds=180)
        found = launched(of)
        first = min(nominal for nominal, _ in found)
        return max(enqueued - nominal for nominal, enqueued in found if nominal == first) / 1000


@contextmanager
def scheduling(number: int, cron: str) -> Iterator[Server]:
    """A server on which a script with so many schedules works."""
    with server() as of, tempfile.TemporaryDirectory() as folder:
        base = of.call("tasks.create", name="base", type="training")["id"]
        text = SCRIPT.format(number=number, base=base, cron=cron)
        with running_text(of, text, Path(folder)) as process:
            assert process.stdout is not None
            threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
            yield of


def launched(of: Server) -> list[tuple[float, float]]:
    """Nominal time, and when it was enqueued, of each launch, ms."""
    found: list[dict[str, Any]] = []
    while page := _page(of, len(found) // 500):
        found += page
        if len(page) < 500:
            break
    nominal = [datetime.fromisoformat(one["hyperparams"]["Args"]["at"]["value"]) for one in found]
    return [
        (moment.timestamp() * 1000, milliseconds(one["status_changed"]))
        for moment, one in zip(nominal, found, strict=True)
    ]


def _page(of: Server, number: int) -> list[dict[str, Any]]:
    fields = ["status_changed", "hyperparams"]
    asked = {"status": ["queued"], "only_fields": fields, "order_by": ["created"], "page": number, "page_size": 500}
    return list(of.call("tasks.get_all", **asked)["tasks"])
