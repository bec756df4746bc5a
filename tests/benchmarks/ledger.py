"""Events from poll to ledger: stored batches are matched by one process, a fiftieth of the events fires."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.benchmarks.matching import made
from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import new_ledger, redis
from triggers.base.settings import Settings
from triggers.context import Context, NoHints
from triggers.ledger import connect
from triggers.ledger.polling.batches import encode_batches
from triggers.ledger.polling.reading import Cursor
from triggers.model import make_trigger
from triggers.model.events import Event
from triggers.stages.match import match

EVENTS, PAGE, FIRES = 20_000, 500, 50
BOUND = Bound(least=20_000)


def measure(runs: int) -> list[Result]:
    """Wall time of matching all partitions one after the other, Redis in its own process."""
    rates, shares = [], []
    for run in range(runs):
        with tempfile.TemporaryDirectory() as folder, redis(Path(folder)) as url, connect(url) as client:
            settings = Settings()
            ctx = context(client, settings)
            store(ctx, quiet(run))
            began, used = time.perf_counter(), time.process_time()
            granted = sum(match(ctx, partition) for partition in range(settings.partitions))
            took = time.perf_counter() - began
            rates.append(EVENTS / took)
            shares.append((time.process_time() - used) / took)
            if granted != EVENTS // FIRES:
                raise RuntimeError(f"{granted} firings instead of {EVENTS // FIRES}")
    note = f"{100 * sorted(shares)[len(shares) // 2]:.0f} % of it computing in this process; {load()}"
    return [Result("events from poll to ledger, one matcher process", "1/s", tuple(rates), bound=BOUND, note=note)]


def context(client: object, settings: Settings) -> Context:
    """A scheduler with a thousand mixed triggers, and one that fires."""
    ledger = new_ledger(client, settings)
    action = {"type": "task", "base_task_id": "b", "queue": "q"}
    fires = make_trigger("task", name="fires", action=action, trigger_on_tags=["fires"])
    ledger.registry.declare([*made(1_000), fires], origin="script", server_now_ms=1)
    return Context(ledger, None, settings, NoHints(), ledger.adopt_epoch())  # type: ignore[arg-type]


def quiet(run: int) -> list[Event]:
    """Changes of running ClearML tasks in watched projects, of which every fiftieth has the tag that fires."""
    return [
        Event(
            "task", f"{run:016x}{n:016x}", 1_790_000_000_000 + n, f"train {n % 90}", f"team {n % 100}/project",
            status="in_progress", tags=("fires",) if n % FIRES == 0 else ("baseline",), type="training",
        )
        for n in range(EVENTS)
    ]  # fmt: skip


def store(ctx: Context, events: list[Event]) -> None:
    """As a poll does, page by page."""
    with ctx.ledger.reading.poll(pace_seconds=0, lease_seconds=60, force=True) as token:
        assert token
        for start in range(0, len(events), PAGE):
            page = events[start : start + PAGE]
            batches = encode_batches(
                page, plan=1, polled_ms=1, partitions=ctx.settings.partitions, size=ctx.settings.batch_events
            )
            cursor = Cursor(read_to_ms=page[-1].changed_ms)
            ctx.ledger.reading.commit("tasks", token, cursor, page, batches, forget_before_ms=0, server_ms=1)
