"""Polls of a server that shows writes late, steps its clock and has replicas: every change is read in time.

The real windows and the real keyset reader, over a server in memory. A history is a list of steps: objects
change and become visible a while later, time passes, a poll is made by one of two replicas whose clocks differ,
polls are down for long, triggers are registered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.property.ledger.profile import profile
from triggers.base.settings import Settings
from triggers.clearml_api import polls
from triggers.clearml_api.connection import Answer
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model import make_trigger
from triggers.model.events import iso_time, milliseconds
from triggers.sources.windows import Window, advance, choose_window, overlap_every_ms

PAGE_SIZE = 3
START = 1_800_000_000_000
SETTINGS = Settings(overlap_seconds=30, sweep_every_seconds=600, sweep_window_seconds=900)
OVERLAP_MS = 30_000
#: clocks of the replicas, ms ahead of true time; a change counts as late by their difference too
SKEW_MS = 2_000
#: the Date header is whole seconds, and the edge takes a second off
DATE_MS = 2_000


@dataclass
class Change:
    """One visible change of one object: stamped by a replica, shown to reads later."""

    object: str
    stamp_ms: int
    visible_ms: int


@dataclass
class Server:
    """True time, changes, and which replica answers."""

    now_ms: int = START
    step_ms: int = 0
    skew_ms: int = 0
    changes: list[Change] = field(default_factory=list)
    asked_ms: list[int] = field(default_factory=list)

    def change(self, object_id: str, late_ms: int, skew_ms: int) -> Change:
        made = Change(object_id, self.now_ms + self.step_ms + skew_ms, self.now_ms + late_ms)
        self.changes.append(made)
        return made

    def call(self, endpoint: str, body: Mapping[str, Any]) -> Answer:
        """`tasks.get_all_ex` with bounds on last_change, for the newest visible change of each object."""
        bounds = [(text[:2], milliseconds(text[2:])) for text in body["last_change"]]
        self.asked_ms.append(bounds[0][1])
        latest: dict[str, Change] = {}
        for change in self.changes:
            if change.visible_ms <= self.now_ms:
                latest[change.object] = change
        found = [
            change
            for change in sorted(latest.values(), key=lambda c: (c.stamp_ms, c.object))
            if all(change.stamp_ms >= at if sign == ">=" else change.stamp_ms <= at for sign, at in bounds)
        ]
        start = body["page"] * PAGE_SIZE
        tasks = [{"id": c.object, "last_change": _time(c.stamp_ms)} for c in found[start : start + PAGE_SIZE]]
        date_ms = (self.now_ms + self.step_ms + self.skew_ms) // 1000 * 1000 - 1000
        return Answer({"tasks": tasks}, date_ms)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


@dataclass
class Poller:
    """What the poll stage does between cursor and matching, without Redis."""

    server: Server
    cursor: Cursor = field(default_factory=Cursor)
    entries: list[Entry] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    delivered: set[tuple[str, int, int]] = field(default_factory=set)
    windows: list[Window] = field(default_factory=list)
    back_ms: list[int] = field(default_factory=list)

    def register(self) -> Entry:
        """As `clearml_api.server_now_ms` does: the stamp of a write of our own."""
        action = {"type": "task", "base_task_id": "b" * 32, "queue": "default"}
        version = len(self.entries) + 1
        since_ms = self.server.now_ms + self.server.step_ms
        self.entries.append(Entry(make_trigger("task", name=f"t{version}", action=action), since_ms, version, "script"))
        return self.entries[-1]

    def poll(self, pages: int = 1_000, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Read up to so many pages, where the process is killed; `meanwhile` happens when it has begun."""
        window = choose_window(self.cursor, self.entries, SETTINGS)
        if window is None:
            return
        self.windows.append(window)
        self.back_ms.append(self.cursor.read_to_ms - window.since_ms)
        version = len(self.entries)
        meanwhile()
        for page in polls.read(self.server, polls.tasks(), window.since_ms):  # type: ignore[arg-type]
            if not pages:
                return
            pages -= 1
            self.cursor = advance(
                self.cursor, window, version, read_to_ms=page.read_to_ms, last=page.last, server_ms=page.server_ms
            ).cursor
            for event in page.events:
                if window.again or self.seen.get(event.id) != event.changed_ms:
                    self.delivered.add((event.id, event.changed_ms, version))
                self.seen[event.id] = event.changed_ms
            forget = self.cursor.read_to_ms - int(SETTINGS.sweep_window_seconds * 2000)
            self.seen = {id_: ms for id_, ms in self.seen.items() if ms >= forget}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "PAGE_SIZE", PAGE_SIZE)


late = st.integers(0, OVERLAP_MS - 2 * SKEW_MS - DATE_MS)
skew = st.sampled_from([0, 0, SKEW_MS, -SKEW_MS])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), late, skew),
        st.tuples(st.just("change"), late, skew),
        st.tuples(st.just("many"), st.integers(1, 9), late),
        st.tuples(st.just("poll"), st.integers(1_000, 9_000), skew),
        st.tuples(st.just("poll"), st.integers(1_000, 9_000), skew),
        st.tuples(st.just("cut off"), st.integers(0, 3), skew),
        st.tuples(st.just("down"), st.integers(10_000, 4_000_000), skew),
        st.tuples(st.just("register"), st.just(0), st.just(0)),
        st.tuples(st.just("register in a poll"), st.integers(0, 2_000), st.just(0)),
    ),
    max_size=40,
)


@profile(300)
@given(steps)
@example([("poll", 1_000, 0), ("poll", 1_000, 0), ("change", 20_000, 0), ("poll", 3_000, 0), ("down", 4_000_000, 0)])
def test_every_change_is_read_in_time(history: list[tuple[str, int, int]]) -> None:
    """Each change is delivered, to every trigger registered before it, within 20 s of regular polls."""
    server = Server()
    poller = Poller(server)
    poller.register()
    registered = {1: server.now_ms}
    for kind, much, of_replica in history:
        server.skew_ms = of_replica
        if kind == "change":
            server.now_ms += 1
            server.change(f"o{len(server.changes)}", much, of_replica)
        elif kind == "many":  # a bulk call stamps many objects alike
            for _ in range(much):
                server.change(f"o{len(server.changes)}", of_replica, 0)
        elif kind == "poll":
            poller.poll()
            server.now_ms += much
        elif kind == "cut off":
            poller.poll(much)
            server.now_ms += 1_000
        elif kind == "down":
            server.now_ms += much
        else:

            def register(after_ms: int = much) -> None:
                server.now_ms += 1
                poller.register()
                registered[len(registered) + 1] = server.now_ms
                server.now_ms += after_ms
                server.change(f"o{len(server.changes)}", 0, 0)

            if kind == "register":
                register()
            else:
                poller.poll(meanwhile=register)
    poll_regularly(server, poller, OVERLAP_MS + 20_000)
    delivered = {(id_, ms) for id_, ms, _ in poller.delivered}
    for change in server.changes:
        if change.stamp_ms >= START:
            assert (change.object, change.stamp_ms) in delivered, change
        for version, since_ms in registered.items():
            if change.stamp_ms >= since_ms:
                assert any(
                    known[:2] == (change.object, change.stamp_ms) and known[2] >= version for known in poller.delivered
                ), f"trigger {version}, registered at {since_ms}, never saw {change}"


def poll_regularly(server: Server, poller: Poller, duration_ms: int, pace_ms: int = 1_000) -> None:
    server.skew_ms = 0
    until_ms = server.now_ms + duration_ms
    while server.now_ms < until_ms:
        poller.poll()
        server.now_ms += pace_ms


@profile(30)
@given(st.integers(1_000, 60_000), st.integers(0, OVERLAP_MS - DATE_MS))
def test_a_late_change_is_read_soon_after_it_shows(pace_ms: int, late_ms: int) -> None:
    server, poller = Server(), Poller(Server())
    poller.server = server
    poller.register()
    poll_regularly(server, poller, 300_000, pace_ms)
    change = server.change("o", late_ms, 0)
    promised_ms = change.visible_ms + overlap_every_ms(SETTINGS) + 2 * pace_ms + DATE_MS
    poll_regularly(server, poller, promised_ms - server.now_ms, pace_ms)
    assert poller.delivered


def test_a_sweep_reads_what_shows_later_still() -> None:
    server, poller = Server(), Poller(Server())
    poller.server = server
    poller.register()
    poll_regularly(server, poller, 60_000)
    server.change("o", 280_000, 0)
    poll_regularly(server, poller, 279_000)
    assert not poller.delivered
    poll_regularly(server, poller, 620_000)
    assert poller.delivered


@pytest.mark.parametrize("step_ms", [-3_600_000, -60_000, -8_000, 8_000, 3_600_000])
def test_a_clock_that_steps_loses_nothing(step_ms: int) -> None:
    """Changes made after the step are read, however far the clock was set."""
    server, poller = Server(), Poller(Server())
    poller.server = server
    poller.register()
    server.now_ms += 7_200_000
    poll_regularly(server, poller, 60_000)
    server.step_ms = step_ms
    made = [server.change(f"o{number}", late_ms, 0) for number, late_ms in enumerate([0, 5_000, 25_000])]
    poll_regularly(server, poller, 60_000)
    assert {(c.object, c.stamp_ms) for c in made} <= {(id_, ms) for id_, ms, _ in poller.delivered}


def test_idle_polls_are_narrow() -> None:
    """In an hour of polls every five seconds: most read from the cursor, few 50 s back, six the sweep's 15 min."""
    server, poller = Server(), Poller(Server())
    poller.server = server
    poller.register()
    server.now_ms += 7_200_000
    poll_regularly(server, poller, 3_600_000, 5_000)
    windows, back_ms = poller.windows[1:], poller.back_ms[1:]
    assert len(server.asked_ms) == len(poller.windows) == 720, "one request a poll"
    assert sum(window.sweeps for window in windows) <= 6
    assert sum(window.overlaps for window in windows) <= 360
    for window, back in zip(windows, back_ms, strict=True):
        assert back <= (900_000 if window.sweeps else 55_000 if window.overlaps else 0)


def test_the_time_format_is_that_of_the_edge() -> None:
    assert milliseconds(iso_time(START + 7)) == START + 7
