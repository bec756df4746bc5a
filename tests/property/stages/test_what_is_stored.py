"""A poll leaves out what concerns no trigger: everything fires, disarms and is explained as if it stored all of it.

Two ledgers follow one server on which things happen. One polls as in production, the other stores every change. Edits
of triggers come while polls read, or once all is matched: what an edit means for changes that are neither read nor
matched is the same for both then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from tests.property.domain_strategies import METRICS, NAMES, NUMBERS, PROJECTS, TAGS, conditions, some
from tests.property.ledger.profile import profile
from tests.property.policies.busy_server import START, BusyServer
from triggers.base.settings import Settings
from triggers.clearml_api.connection import Answer
from triggers.context import Context, NoHints
from triggers.explain.gather import gather
from triggers.explain.judge import judge
from triggers.explain.values import Explanation
from triggers.ledger import Ledger, Store, open_ledger
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.firings.firing import firing_key
from triggers.model import Trigger, make_trigger
from triggers.model.events import iso_time
from triggers.model.launch_tags import LaunchTags
from triggers.operate.target import Target
from triggers.stages.match import match
from triggers.stages.poll import poll

SCHEDULER = "the same for both"
SETTINGS = Settings(partitions=2, batch_events=2, max_per_minute=0, history_length=100_000)
TASKS, MODELS = ("o1", "o2", "o3"), ("m1", "m2")  # ids are of one collection alone
STATUSES = ("in_progress", "failed", "completed", "published")
ACTION = {"type": "function", "name": "f"}


# ---- what is drawn ----
@st.composite
def policies(draw: Any) -> dict[str, Any]:
    fire = draw(st.sampled_from(["once", "on_transition", "on_transition", "while_true"]))
    return {"fire": fire, "cooldown_minutes": draw(st.sampled_from([0, 1])) if fire == "while_true" else 0}


@st.composite
def made(draw: Any, name: str) -> Trigger:
    """A trigger of any kind, on any fields; mostly on one or two, so that objects meet it and leave it."""
    kind = draw(st.sampled_from(["task", "task", "model", "dataset"]))
    simple = st.sampled_from([{"trigger_on_tags": ["a"]}, {"trigger_project": "P"}, {"trigger_exclude_tags": ["b"]}])
    condition = draw(simple | conditions(kind))
    policy = draw(policies())
    resolved = [{"type": "tag", "add": ["closed"]}] if policy["fire"] == "on_transition" and draw(st.booleans()) else []
    return make_trigger(kind, name=name, action=ACTION, policy=policy, on_resolved=resolved, **condition)


NAMES_OF_TRIGGERS = ("t0", "t1", "t2")
declared = st.fixed_dictionaries({}, optional={name: made(name) for name in NAMES_OF_TRIGGERS}).filter(bool)

metric = st.fixed_dictionaries({part: st.sampled_from(NUMBERS) for part in ("value", "min_value", "max_value")})
system_tags = st.sampled_from([[], [], ["archived"], ["development"], ["dataset"]])
of_task = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(STATUSES),
        "tags": some(TAGS),
        "system_tags": system_tags,
        "project": st.sampled_from([f"p{number}" for number in range(len(PROJECTS))]),
        "name": st.sampled_from(NAMES),
        "last_changed_by": st.sampled_from(TAGS),
        "last_metrics": st.dictionaries(
            st.sampled_from([title for title, _ in METRICS]),
            st.dictionaries(st.sampled_from([variant for _, variant in METRICS]), metric, max_size=1),
            max_size=1,
        ),
    },
)
of_model = st.fixed_dictionaries(
    {},
    optional={"ready": st.booleans(), "tags": some(TAGS), "name": st.sampled_from(NAMES), "system_tags": system_tags},
)
change = st.one_of(
    st.tuples(st.just("change"), st.just("tasks"), st.sampled_from(TASKS), of_task),
    st.tuples(st.just("change"), st.just("tasks"), st.sampled_from(TASKS), of_task),
    st.tuples(st.just("change"), st.just("models"), st.sampled_from(MODELS), of_model),
    # a ClearML task that carries the key of a firing: an own launch, perhaps
    st.tuples(st.just("launch"), st.sampled_from(TASKS), st.integers(0, 5), of_task),
)
steps = st.lists(
    st.one_of(
        change,
        change,
        change,
        st.tuples(st.just("poll")),
        st.tuples(st.just("poll")),
        st.tuples(st.just("match")),
        st.tuples(st.just("turn"), st.sampled_from(TASKS)),
        st.tuples(st.just("edit"), declared),
        # while a poll reads: an edit, and a change after it
        st.tuples(st.just("edit meanwhile"), declared, change),
        st.tuples(st.just("later"), st.sampled_from([1_000, 40_000, 700_000, 2_500_000])),
    ),
    min_size=4,
    max_size=24,
)


# ---- the two ----
class Watched(BusyServer):
    """The server, which also says what carries the key of a firing."""

    def call(self, endpoint: str, body: Mapping[str, Any]) -> Answer:
        if endpoint != "tasks.get_all":
            return super().call(endpoint, body)
        between, self.between = self.between, lambda: None
        try:
            return super().call("tasks.get_all_ex", body)
        finally:
            self.between = between


@dataclass
class Side:
    """One ledger, and the process that polls and matches for it."""

    server: Watched
    ledger: Ledger
    ctx: Context = field(init=False)
    stored: int = 0

    def __post_init__(self) -> None:
        epoch = self.ledger.adopt_epoch(nothing_launched_before=True)
        self.ctx = Context(self.ledger, self.server, SETTINGS, NoHints(), epoch, "service")  # type: ignore[arg-type]

    def declare(self, triggers: dict[str, Trigger]) -> None:
        now_ms = self.server.now_ms
        self.ledger.registry.declare(triggers.values(), origin="script", server_now_ms=now_ms)

    def poll(self) -> None:
        polled = poll(self.ctx, pace_seconds=1, force=True)
        self.stored += polled.events if polled else 0

    def match(self) -> None:
        for partition in range(SETTINGS.partitions):
            match(self.ctx, partition)

    def marks(self) -> dict[str, dict[str, str]]:
        triggers = self.ledger.registry.snapshot().entries
        client, keys = self.ledger.store.client, self.ledger.keys
        return {id_: client.hgetall(keys.marks(id_)) for id_ in triggers}

    def firings(self) -> dict[str, list[str | None]]:
        client, keys = self.ledger.store.client, self.ledger.keys
        pattern = keys.firing("*").replace("{", "?").replace("}", "?")
        fields = ("trigger", "object", "occurrence", "changed_ms", "state", "action", "event")
        return {name: client.hmget(name, fields) for name in client.scan_iter(pattern)}

    def undecided(self) -> dict[int, dict[str, str]]:
        client, keys = self.ledger.store.client, self.ledger.keys
        return {number: client.hgetall(keys.undecided(number)) for number in range(SETTINGS.partitions)}

    def explained(self) -> dict[tuple[str, str], Explanation]:
        scheduler = Scheduler("h", "w", "p", "n", 1.0, service_task="service")
        target = Target(scheduler, self.ledger, SETTINGS, True, "here")
        target.__dict__["api"] = self.server
        active = self.ledger.registry.snapshot().active
        pairs = [(entry, id_) for entry in active for id_ in (MODELS if entry.trigger.kind == "model" else TASKS)]
        return {(entry.trigger.id, id_): judge(gather(target, entry, id_)) for entry, id_ in pairs}


def said(explanation: Explanation) -> tuple[Any, ...]:
    """An explanation without what the last stored state adds to it: of what was left out there is none.

    Redis' clock is real, and goes on between the two.
    """
    because = re.sub(r"granted at [\d: -]+", "granted", explanation.because)
    because = because.partition("; the condition held when it changed")[0]
    checks = [(check.name, check.passes, check.words) for check in explanation.checks if check.name != "reading"]
    now = [(row.name, row.wanted, row.now) for row in explanation.clauses if explanation.facts.now]
    return explanation.answer, because, explanation.way_out, checks, now


def reading(explanation: Explanation) -> bool | None:
    return next((check.passes for check in explanation.checks if check.name == "reading"), None)


@dataclass
class History:
    """What happens, to both."""

    server: Watched
    sides: tuple[Side, Side]
    production: pytest.MonkeyPatch

    def on_each(self, does: Callable[[Side], None]) -> None:
        filtered, everything = self.sides
        does(filtered)
        with self.production.context() as patch:
            patch.setattr("triggers.stages.storing.concerning", lambda _, events, __: list(events))
            does(everything)

    def settle(self) -> None:
        self.on_each(Side.poll)
        self.on_each(Side.match)

    def step(self, what: str, *much: Any) -> None:
        match what:
            case "poll":
                self.on_each(Side.poll)
            case "match":
                self.on_each(Side.match)
            case "later":
                self.server.now_ms += much[0]
            case "edit":
                self.settle()
                self.server.now_ms += 1
                self.on_each(lambda side: side.declare(much[0]))
            case "turn":  # true, false and true again, each read, and all of it matched later
                for tags in (["a"], ["b"], ["a"]):
                    self.change("change", "tasks", much[0], {"tags": tags})
                    self.on_each(Side.poll)
            case "edit meanwhile":
                self.edit_meanwhile(*much)
            case _:
                self.change(what, *much)

    def change(self, what: str, *much: Any) -> None:
        if what == "change":
            collection, object_id, fields = much
            self.server.change(object_id, collection, created=iso_time(START), **fields)
            return
        object_id, number, fields = much
        keys = sorted(name.rpartition(":")[2] for name in self.sides[0].firings())
        key = keys[number % len(keys)] if keys else firing_key(SCHEDULER, "task:t0", "o1", 1)
        tags = LaunchTags.of(SCHEDULER, key, "nonce").tags()
        self.server.change(object_id, created=iso_time(START), **{**fields, "system_tags": tags})

    def edit_meanwhile(self, triggers: dict[str, Trigger], change: tuple[Any, ...]) -> None:
        """Both polls have begun when the triggers are edited, and the change comes before the server answers."""
        self.settle()
        self.server.now_ms += 1
        happened: list[bool] = []

        def poll_with_an_edit(side: Side) -> None:
            def between() -> None:
                self.server.between = lambda: None
                side.declare(triggers)
                if not happened:
                    happened.append(True)
                    self.change(*change)

            self.server.between = between
            side.poll()
            self.server.between = lambda: None

        self.on_each(poll_with_an_edit)


@pytest.fixture
def histories(redis_servers: list[redis.Redis], monkeypatch: pytest.MonkeyPatch) -> Callable[[], History]:
    def begin() -> History:
        server = Watched()
        for number, name in enumerate(PROJECTS):
            server.name(f"p{number}", name)
        sides = []
        for client in redis_servers[:2]:
            client.flushall()
            sides.append(Side(server, open_ledger(Store(client), SCHEDULER, SETTINGS)))
        return History(server, (sides[0], sides[1]), monkeypatch)

    return begin


def test_nothing_is_lost_by_what_a_poll_leaves_out(histories: Callable[[], History]) -> None:
    came = Counter[str]()

    @profile(120)
    @given(first=declared, happens=steps)
    def lived_through(first: dict[str, Trigger], happens: list[tuple[Any, ...]]) -> None:
        history = histories()
        filtered, everything = history.sides
        history.on_each(lambda side: side.declare(first))
        for what, *much in happens:
            history.step(what, *much)
        for _ in range(2):
            history.server.now_ms += 2_000
            history.settle()
        assert filtered.firings() == everything.firings()
        assert filtered.marks() == everything.marks()
        assert filtered.undecided() == everything.undecided()
        explained = everything.explained()
        for pair, one in filtered.explained().items():
            assert said(one) == said(explained[pair]), pair
            assert reading(one) in (reading(explained[pair]), None), pair
        came["left out"] += everything.stored - filtered.stored
        came["stored"] += filtered.stored
        came["fired"] += len(filtered.firings())

    lived_through()
    # of histories in which little happens it would say little
    assert came["left out"] > came["stored"] / 4 > 0
    assert came["fired"] > 0
