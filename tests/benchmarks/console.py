"""Pages of the console with 10,000 triggers and 100,000 entries of the history, and what fifty open pages cost."""

from __future__ import annotations

import contextlib
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import requests

from tests.benchmarks.result import Bound, Result, load
from tests.benchmarks.server import Server, redis, server
from tests.integration.cli_verbs.conftest import build
from tests.integration.stages.conftest import World
from triggers.base.settings import Settings
from triggers.ledger import connect

TRIGGERS, ENTRIES, OBJECTS = 10_000, 100_000, 2_000
#: Requests of each page in a run; open pages, and for how long they are watched, seconds.
EACH, OPEN, WATCHED = 20, 50, 30.0
SLOWEST, CORE, LOAD = Bound(most=100), Bound(most=5), Bound(most=150)


def measure(runs: int) -> list[Result]:
    """The slowest page at the 95th percentile, what it computes, the share of a core, and the first load."""
    pages: dict[str, list[float]] = {}
    used: dict[str, float] = {}
    shares = []
    with server() as of, TemporaryDirectory() as folder, redis(Path(folder)) as url:
        world = _filled(of, url, Path(folder))
        with _console(of, url, Path(folder)) as (process, session, home):
            for name, address in _addresses(world).items():
                session.get(home + address, timeout=60).raise_for_status()  # the index is made, templates are read
                before, pages[name] = _used(process), []
                for _ in range(runs * EACH):
                    began = time.perf_counter()
                    session.get(home + address, timeout=60).raise_for_status()
                    pages[name].append((time.perf_counter() - began) * 1000)
                used[name] = (_used(process) - before) / (runs * EACH) * 1000
            for _ in range(runs):
                shares.append(_share_of_open_pages(world, process, session, home))
            first = _first_load(session, home)
    worst = {name: quantiles(times, n=20)[-1] for name, times in pages.items()}
    slowest, dearest = (max(of, key=lambda name: of[name]) for of in (worst, used))
    return [
        Result(f"console: slowest page ({slowest}), p95", "ms", (worst[slowest],), bound=SLOWEST, note=_highest(worst)),
        Result(f"the same: dearest page ({dearest}), processor", "ms", (used[dearest],), note=_highest(used)),
        Result("the same: 50 open pages, console and Redis", "% of a core", tuple(shares), bound=CORE, note=load()),
        Result("the same: overview and all that it loads, compressed", "kB", (first / 1000,), bound=LOAD),
    ]


def _highest(figures: dict[str, float]) -> str:
    rows = sorted(figures.items(), key=lambda row: -row[1])[:6]
    return ", ".join(f"{name} {ms:.0f}" for name, ms in rows)


def _first_load(session: requests.Session, home: str) -> int:
    """Bytes that a browser gets at its first visit."""
    page = session.get(home, timeout=60).text
    host = home.partition("/s/")[0]
    found = {home, *(host + path for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page))}
    return sum(_sent(session, address) for address in found)


def _sent(session: requests.Session, address: str) -> int:
    with session.get(address, timeout=60, stream=True, headers={"accept-encoding": "gzip"}) as answer:
        return len(answer.raw.read(decode_content=False)) + sum(len(f"{k}: {v}\r\n") for k, v in answer.headers.items())


def _filled(of: Server, url: str, folder: Path) -> World:
    """A scheduler with triggers and a past: launches, holds and dead letters of every day."""
    settings = Settings(state_folder=folder / "state", max_per_minute=0, batch_firings=100)
    world = build(of, connect(url), settings)  # type: ignore[arg-type]
    chosen = random.Random(1)
    triggers = [_trigger(world, number) for number in range(TRIGGERS)]
    world.declare(*triggers)
    world.step()
    for number in range(60):
        world.fail_task(name=f"training {number}", tags=[f"group {number % 30}"])
    for _ in range(3):
        world.step()
    _remember(world, [trigger.id for trigger in triggers], chosen)
    return world


def _trigger(world: World, number: int) -> Any:
    tags = [f"group {number}"] if number < 30 else [f"group {number % 1000}", f"tag {number % 7}"]
    action = {"queue": "nowhere"} if number in (3, 4) else {}
    fields: dict[str, Any] = {"action": action, "trigger_on_status": ["failed"], "trigger_required_tags": tags}
    return world.trigger(name=f"trigger {number:05}", **fields)


def _remember(world: World, triggers: list[str], chosen: random.Random) -> None:
    """Entries as the scripts write them, up to the length of the history."""
    client: Any = world.ledger.store.client  # the stubs of its streams take no dict of str
    key = world.ledger.keys.history
    newest = int(world.history()[-1].id.partition("-")[0])
    entries = client.xrange(key)
    client.delete(key)
    with client.pipeline(transaction=False) as pipe:
        for number in range(ENTRIES - len(entries)):
            at = f"{newest - (ENTRIES - number) * 800}-0"
            what, object_id = chosen.choice(("granted", "launched", "skipped")), f"{chosen.randrange(OBJECTS):032x}"
            pipe.xadd(key, _entry(what, chosen.choice(triggers), object_id, f"{number:032x}"), id=at)
            if number % 5000 == 0:
                pipe.execute()
        for id_, fields in entries:
            pipe.xadd(key, fields, id=id_)
        pipe.execute()


def _entry(what: str, trigger: str, object_id: str, firing: str) -> Any:
    """The fields of an entry, all of them, as the scripts write them."""
    return {"what": what, "trigger": trigger, "object": object_id, "firing": firing, "reason": "", "task": ""}


def _addresses(world: World) -> dict[str, str]:
    launched = world.history("launched")[-1]
    dead_or_failing = world.history("failed")[-1]
    trigger = launched.trigger
    return {
        "overview": "", "overview, narrowed": "?q=99&state=failing",
        "overview, in the middle": "?after=trigger 05000%0Atask",
        "trigger": f"/triggers/{trigger}", "edit": f"/edit/{trigger}", "firing": f"/firings/{launched.firing}",
        "failing firing": f"/firings/{dead_or_failing.firing}", "object": f"/objects/{launched.object}",
        "history": "/history", "history of a trigger": f"/history?trigger={launched.trigger}",
        "history of a sort": "/history?what=skipped&since=12h", "holds": "/waiting?tab=held",
        "failing": "/waiting?tab=failing", "dead": "/waiting?tab=dead", "slots": "/waiting?tab=slots",
        "workers": "/workers", "audit": "/audit",
    }  # fmt: skip


@contextmanager
def _console(of: Server, url: str, folder: Path) -> Iterator[tuple[psutil.Process, requests.Session, str]]:
    """A console in a process of its own, and somebody who is logged in."""
    environ = {**of.env(), "TRIGGERS_REDIS_URL": url, "TRIGGERS_STATE_FOLDER": str(folder), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-m", "triggers", "console", "--port", "0"]
    running = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr
        link = re.search(r"http://\S+", running.stderr.readline())
        assert link
        # what it logs is read on: a full pipe would stop it
        threading.Thread(target=running.stderr.read, daemon=True).start()
        session = requests.Session()
        home = session.get(link[0], timeout=60, headers={"accept": "text/html"}).url
        yield psutil.Process(running.pid), session, home
    finally:
        running.terminate()
        running.wait(10)


def _share_of_open_pages(world: World, console: psutil.Process, session: requests.Session, home: str) -> float:
    """Processor time of console and Redis while pages are open and something happens all the time."""
    client: Any = world.ledger.store.client
    store = psutil.Process(int(client.info("server")["process_id"]))
    ended, shown = threading.Event(), list[int]()
    told = session.cookies, home, ended, shown
    readers = [threading.Thread(target=_read_on, args=told, daemon=True) for _ in range(OPEN)]
    for reader in readers:
        reader.start()
    time.sleep(5.0)  # all are open, and have been shown once
    before = _used(console) + _used(store)
    deadline = time.monotonic() + WATCHED
    while time.monotonic() < deadline:
        client.xadd(world.ledger.keys.history, _entry("granted", "task:trigger 00001", "1" * 32, "2" * 32))
        time.sleep(0.25)
    share = (_used(console) + _used(store) - before) / WATCHED * 100
    ended.set()  # each reader leaves at its next line, which a silent console sends after 15 s
    for reader in readers:
        reader.join(30)
    assert len(shown) > OPEN, "the pages have not followed"
    assert set(shown) == {200}, "a page has failed"
    return share


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _read_on(cookies: Any, home: str, ended: threading.Event, shown: list[int]) -> None:
    """One open page: it hears news, and asks for its content anew after each."""
    session = requests.Session()
    session.cookies.update(cookies)
    with (
        contextlib.suppress(requests.RequestException),
        session.get(f"{home}/live?v=0", stream=True, timeout=60) as news,
    ):
        for line in news.iter_lines(chunk_size=1, decode_unicode=True):
            if ended.is_set():
                return
            if line == "event: changed":
                shown.append(session.get(home, headers={"hx-request": "true"}, timeout=60).status_code)
