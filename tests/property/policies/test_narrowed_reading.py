"""Narrowed polls of a server on which things happen between any two calls: nothing that matters is missed.

The oracle is the unnarrowed plan: whatever a page says has been read (`read_to_ms`) and satisfies a trigger at that
moment has been returned. Then whole histories, with the real windows: objects change and move, projects are made and
renamed, triggers are registered, polls narrow or not as chance has it, are cut off, and are down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.ledger.profile import profile
from tests.property.policies.busy_server import BusyServer
from triggers.actions.clearml_task import TaskAction
from triggers.base.settings import Settings
from triggers.clearml_api import narrowing, polls
from triggers.clearml_api.narrowing import Narrowing
from triggers.clearml_api.polls import PollPage
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger, make_trigger
from triggers.model.events import Event
from triggers.rules import query_plan
from triggers.rules.conditions import matches
from triggers.sources.windows import advance, choose_window

SETTINGS = Settings(overlap_seconds=30, sweep_every_seconds=600, sweep_window_seconds=900)
NAMES = ("A", "A", "B", "C", "A/.datasets/d", "none")
PROJECTS = ("p1", "p2", "p3", "p4")

CONDITIONS: list[tuple[str, dict[str, Any]]] = [
    ("task", {"trigger_project": "A"}),
    ("task", {"trigger_project": "B", "trigger_on_status": ["failed"]}),
    ("task", {"trigger_project": "C", "trigger_on_tags": ["x"]}),
    ("task", {"project_id": "p1"}),
    ("task", {"trigger_on_status": ["failed", "completed"]}),
    ("task", {"trigger_on_tags": ["x"]}),
    ("dataset", {"trigger_project": "A"}),
    ("dataset", {}),
    ("model", {"trigger_on_publish": True}),
]
conditions = st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=3)

change = st.tuples(
    st.just("change"),
    st.integers(1, 11),
    st.integers(0, 4),
    st.fixed_dictionaries(
        {},
        optional={
            "project": st.sampled_from(PROJECTS),
            "status": st.sampled_from(["in_progress", "failed", "completed", "published"]),
            "tags": st.sampled_from([[], ["x"], ["x", "y"]]),
            "system_tags": st.sampled_from([[], ["dataset"]]),
        },
    ),
)
rename = st.tuples(st.just("name"), st.sampled_from(PROJECTS), st.sampled_from(NAMES))
happening = st.one_of(change, change, rename)
meanwhiles = st.lists(st.lists(happening, min_size=1, max_size=3), min_size=4, max_size=16)
#: ids that an earlier poll, another process or a long outage has left
guesses = st.none() | st.sets(st.sampled_from(PROJECTS)).map(frozenset)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "PAGE_SIZE", 3)
    monkeypatch.setattr(narrowing, "FEW", 2)
    monkeypatch.setattr(narrowing, "_PAGES_AT_ONCE", 2)


def trigger(number: int, condition: tuple[str, dict[str, Any]]) -> Trigger:
    kind, fields = condition
    return make_trigger(kind, name=f"t{number}", action=TaskAction(base_task_id="b", queue="q"), **fields)  # type: ignore[arg-type]


def concerns(trigger: Trigger, event: Event) -> bool:
    """Whether ClearML tasks are read for this."""
    return event.status == "published" if trigger.kind == "model" else matches(trigger, event)


def happen(server: BusyServer, what: tuple[Any, ...]) -> None:
    """A project gets a name; or some objects change, by one call that stamps them alike."""
    if what[0] == "name":
        server.name(what[1], what[2])
        return
    _, first, more, fields = what
    server.change(f"o{first}", **fields)
    for number in range(first + 1, first + more):
        server.change(f"o{number}", at_ms=server.now_ms, **fields)


def new_server(happenings: Iterator[list[tuple[Any, ...]]]) -> BusyServer:
    """A server on which the next happenings come before each call."""
    server = BusyServer()
    for number, project in enumerate(PROJECTS):
        server.name(project, f"old{number}")
    server.between = lambda: [happen(server, what) for what in next(happenings, [])]
    return server


def checked(
    server: BusyServer, pages: Iterator[PollPage], since_ms: int, triggers: list[Trigger]
) -> Iterator[PollPage]:
    """The pages, each checked against its own query."""
    returned: set[tuple[str, int]] = set()
    for page in pages:
        returned |= {(event.id, event.changed_ms) for event in page.events}
        # the cursor goes to the server's time with the last page
        read_to_ms = max(page.read_to_ms, page.server_ms) if page.last else page.read_to_ms
        for event in server.events():
            if since_ms <= event.changed_ms < read_to_ms and any(concerns(one, event) for one in triggers):
                assert (event.id, event.changed_ms) in returned, (event, page, server.calls)
        since_ms = max(since_ms, page.read_to_ms)
        yield page


@profile(600)
@given(
    conditions,
    st.lists(happening, min_size=4, max_size=16),
    meanwhiles,
    st.integers(0, 1),
    guesses,
)
def test_a_page_has_all_that_matters_as_it_is_when_the_page_is_given(
    chosen: list[Any], before: list[Any], meanwhile: list[Any], narrow: int, guess: frozenset[str] | None
) -> None:
    server = new_server(iter([]))
    for what in before:
        happen(server, what)
    since_ms, triggers = server.now_ms - len(before) // 2, [trigger(n, one) for n, one in enumerate(chosen)]
    steps = iter(meanwhile)
    server.between = lambda: [happen(server, what) for what in next(steps, [])]
    memory = Narrowing(polls=narrow, projects=guess)
    asked = query_plan.queries(triggers)
    pages = narrowing.read(server, polls.tasks(), asked, since_ms, memory, fresh_ms=since_ms)  # type: ignore[arg-type]
    read = list(checked(server, pages, since_ms, triggers))
    assert [page.last for page in read] == [False] * (len(read) - 1) + [True]


@dataclass
class Poller:
    """What the poll stage does, without Redis."""

    server: BusyServer
    cursor: Cursor = field(default_factory=Cursor)
    entries: list[Entry] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    delivered: set[tuple[str, int, int]] = field(default_factory=set)

    def register(self, condition: tuple[str, dict[str, Any]]) -> None:
        version = len(self.entries) + 1
        self.server.now_ms += 1
        self.entries.append(Entry(trigger(version, condition), self.server.now_ms, version, "script"))

    def poll(self, memory: Narrowing, pages: int = 1_000) -> None:
        """Read up to so many pages, where the process is killed."""
        window, version = choose_window(self.cursor, self.entries, SETTINGS), len(self.entries)
        assert window is not None
        triggers, since_ms = [entry.trigger for entry in self.entries], window.since_ms
        read = narrowing.read(
            self.server,  # type: ignore[arg-type]
            polls.tasks(),
            query_plan.queries(triggers),
            since_ms,
            memory,
            fresh_ms=self.cursor.read_to_ms,
        )
        for page in checked(self.server, read, since_ms, triggers):
            if not pages:
                return
            pages -= 1
            self.cursor = advance(
                self.cursor, window, version, read_to_ms=page.read_to_ms, last=page.last, server_ms=page.server_ms
            ).cursor
            for event in page.events:
                if window.again or self.seen.get(event.id) != event.changed_ms:
                    self.deliver(event, version)
                self.seen[event.id] = event.changed_ms

    def deliver(self, event: Event, version: int) -> None:
        self.delivered |= {(event.id, event.changed_ms, entry.version) for entry in self.entries[:version]}


steps = st.lists(
    st.one_of(
        happening,
        happening,
        st.tuples(st.just("poll"), st.integers(0, 1), guesses),
        st.tuples(st.just("poll"), st.integers(0, 1), guesses),
        st.tuples(st.just("cut off"), st.integers(0, 1), guesses),
        st.tuples(st.just("down"), st.integers(1_000, 4_000_000)),
        st.tuples(st.just("register"), st.sampled_from(CONDITIONS)),
    ),
    min_size=4,
    max_size=30,
)


@profile(600)
@given(conditions, steps, meanwhiles)
def test_every_change_that_matters_is_delivered(chosen: list[Any], history: list[Any], meanwhile: list[Any]) -> None:
    """Also what a poll passed over in a project that had another name by then, if it changed after it got its name."""
    between = iter(meanwhile)
    server = new_server(iter([]))
    poller = Poller(server)
    for condition in chosen:
        poller.register(condition)
    for kind, *much in history:
        server.between = lambda: None
        if kind in ("poll", "cut off"):
            server.between = lambda: [happen(server, what) for what in next(between, [])]
            poller.poll(Narrowing(much[0], much[1]), 1 if kind == "cut off" else 1_000)
            server.now_ms += 2_000
        elif kind == "down":
            server.now_ms += much[0]
        elif kind == "register":
            poller.register(much[0])
        else:
            happen(server, (kind, *much))
    server.between = lambda: None
    for narrow in (0, 1):
        server.now_ms += 2_000
        poller.poll(Narrowing(narrow))
    for event in server.events():
        named_ms = server.named_ms.get(event.project_id, 0)
        for entry in poller.entries:
            if entry.counts(event.changed_ms) and named_ms <= event.changed_ms and concerns(entry.trigger, event):
                assert (event.id, event.changed_ms, entry.version) in poller.delivered
