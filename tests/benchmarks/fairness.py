"""How long single launches take while 3,000 firings of another trigger, or of another scheduler, wait for theirs."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any, Literal

from tests.benchmarks.latency import milliseconds
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import Server, new_ledger, redis, server
from tests.benchmarks.worker import Working, eventually, working
from tests.integration.ledger.test_lines_at_any_size import TRIGGERS, fill
from triggers.base.settings import Settings
from triggers.client.service_task import ServiceTask
from triggers.client.serving import ServingProcess
from triggers.ledger import connect
from triggers.model import make_trigger

#: Firings of the flood; every call to the ClearML API takes so much more, seconds.
FLOOD, CALL_SECONDS = 3_000, 0.02
#: The roles as docker-compose.yml has them, one process each, and the threads of each.
ROLES = {"poll": 4, "match": 2, "dispatch": 8}
#: Single changes before the flood, and between two of them, seconds: at all moments of a poll alike.
QUIET, PAUSE = 40, (0.1, 0.3)
#: By how much later than without the flood.
BOUND = Bound(most=2_000)
#: The backlog in which scripts are measured: so many firings of each of so many triggers.
DUE, SCRIPT_BOUND = 100, Bound(most=5)

#: What the single launches share with the flood: its scheduler and not its trigger, or neither.
Apart = Literal["trigger", "scheduler"]
APART: tuple[Apart, ...] = ("trigger", "scheduler")


def measure(runs: int) -> list[Result]:
    """Median and 95th percentile, beside those of the same changes before the flood."""
    rows = []
    for apart in APART:
        found = [latencies(random.Random(run), apart) for run in range(runs)]
        words = f"{FLOOD:,} firings of one trigger; single launches of another {apart}: change until enqueued"
        for name, quantile in (("median", 10), ("95 of 100", 19)):
            quiet, flooded = (tuple(quantiles(one[side], n=20)[quantile - 1] for one in found) for side in (0, 1))
            rows.append(Result(f"{words}, {name}", "ms", flooded, quiet, beside="no flood", note=load()))
        delays = tuple(with_it - without for with_it, without in zip(flooded, quiet, strict=True))
        rows.append(Result(f"{words}, 95 of 100: by how much later", "ms", delays, bound=BOUND))
    times = list(zip(*(script_times() for _ in range(runs)), strict=True))
    words = f"{DUE * TRIGGERS:,} firings of {TRIGGERS:,} triggers are due: processor time of a script"
    for what, figures in zip(("that lines them up", "that claims 100"), times, strict=True):
        rows.append(Result(f"{words} {what}", "ms", figures, bound=SCRIPT_BOUND))
    return rows


def script_ms(client: Any, claim: Callable[[], object]) -> float:
    """Processor milliseconds that Redis spends on each script of some claims; neighbors do not count."""

    def spent() -> tuple[float, int]:
        cpu, stats = client.info("cpu"), client.info("commandstats")
        calls = sum(stats[name]["calls"] for name in stats if name.startswith("cmdstat_eval"))
        return cpu["used_cpu_user"] + cpu["used_cpu_sys"], calls

    before, calls_before = spent()
    claim()
    after, calls = spent()
    return 1000 * (after - before) / (calls - calls_before)


def script_times() -> tuple[float, float]:
    """While a long backlog comes to stand in lines, and of the largest claims from it then."""
    with tempfile.TemporaryDirectory() as folder, redis(Path(folder)) as url, connect(url) as client:
        ledger = new_ledger(client, Settings(state_folder=Path(folder) / "state"))
        fill(ledger, DUE)
        lining = script_ms(client, lambda: ledger.firings.claim("dispatch", 1, 60))
        return lining, script_ms(client, lambda: [ledger.firings.claim("dispatch", 100, 60) for _ in range(200)])


def latencies(chance: random.Random, apart: Apart) -> tuple[list[float], list[float]]:
    """Milliseconds of each single change, before the flood and during it."""
    with ExitStack() as stack:
        of = stack.enter_context(server())
        here = stack.enter_context(working(of))
        register(of, here, apart)
        for role, threads in ROLES.items():
            stack.enter_context(here.process(role, threads=threads, name=role))
        stack.enter_context(ticking(here))
        eventually(lambda: of.control.counts().get("tasks.get_all_ex", 0) >= 4, "the first polls", seconds=60)
        ids = [of.call("tasks.create", name="run", type="training")["id"] for _ in range(FLOOD)]
        singles = iter(prepared(of, 600))
        of.control.fault("delay", seconds=CALL_SECONDS)
        quiet = [fail(of, next(singles), chance) for _ in range(QUIET)]
        eventually(lambda: len(launched(of)) == len(quiet), "all are launched", seconds=60)
        for start in range(0, FLOOD, 500):
            of.call("tasks.update_tags", ids=ids[start : start + 500], add_tags=["flood"])
        eventually(lambda: here.due() > 0, "the flood is matched", seconds=60)
        flooded = [fail(of, next(singles), chance)]
        while of.control.counts()["tasks.clone"] < FLOOD:  # the single ones are among them
            flooded.append(fail(of, next(singles), chance))
        eventually(lambda: len(launched(of)) == len(quiet) + len(flooded), "all are launched", seconds=120)
        took = times(of, [*quiet, *flooded])
    return [took[task] for task in quiet], [took[task] for task in flooded]


def register(of: Server, here: Working, apart: Apart) -> None:
    """The trigger of the flood, and the one of the single launches."""
    action = {"type": "task", "base_task_id": here.base, "queue": "default"}
    flood = make_trigger("task", name="flood", action=action, trigger_on_tags=["flood"])
    source = {**action, "parameters": {"Args/source": "${task.id}"}}
    single = make_trigger("task", name="single", action=source, trigger_on_status=["failed"], trigger_name="^single")
    if apart == "trigger":
        here.home.register(here.ledger, [flood, single])
        return
    here.home.register(here.ledger, [flood])
    service = str(of.call("tasks.create", name="another service", type="service")["id"])
    home = ServingProcess(ServiceTask(service, "bench", "another service", None), 1, here.settings)
    home.register(home.connect(), [single])


@contextmanager
def ticking(here: Working) -> Iterator[None]:
    """Tick as beat does, in place of it."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(0.5):
            here.send("poll")
            here.send("reconcile")

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def prepared(of: Server, number: int) -> list[str]:
    """ClearML tasks that run."""
    ids = [str(of.call("tasks.create", name=f"single {n}", type="training")["id"]) for n in range(number)]
    for task in ids:
        of.call("tasks.started", task=task)
    return ids


def fail(of: Server, task: str, chance: random.Random) -> str:
    """Let a ClearML task fail, and some time pass."""
    of.call("tasks.failed", task=task)
    time.sleep(chance.uniform(*PAUSE))
    return task


def launched(of: Server) -> dict[str, float]:
    """When the single launch for each ClearML task was enqueued, ms."""
    fields = ["status_changed", "hyperparams"]
    pages: list[list[dict[str, Any]]] = []
    while not pages or len(pages[-1]) == 500:
        pages.append(
            of.call(
                "tasks.get_all", status=["queued"], only_fields=fields, order_by=["id"], page=len(pages), page_size=500
            )["tasks"]
        )
    return {
        one["hyperparams"]["Args"]["source"]["value"]: milliseconds(one["status_changed"])
        for page in pages
        for one in page
        if one.get("hyperparams", {}).get("Args")
    }


def times(of: Server, ids: list[str]) -> dict[str, float]:
    """Milliseconds from when each ClearML task failed until its launch was enqueued."""
    ended, began = launched(of), dict[str, float]()
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        found = of.call("tasks.get_all", id=some, only_fields=["id", "status_changed"])["tasks"]
        began |= {one["id"]: milliseconds(one["status_changed"]) for one in found}
    return {task: ended[task] - began[task] for task in ids}
