"""A source is added by a class and a line: its events are polled, matched and fired, and people see it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import ServerUnavailable
from triggers.base.settings import settings
from triggers.clearml_api import Api, server_now_ms
from triggers.clearml_api.links import link
from triggers.explain.gather import gather
from triggers.explain.judge import judge
from triggers.ledger.firings.firing import firing_key
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.kinds import KINDS, KindOfObject
from triggers.model.trigger import CLASSES
from triggers.operate.objects import changed_since, read_object
from triggers.operate.query import views
from triggers.sources import SOURCES, Page, Source

#: No id that a ClearML server would make.
FIRST = "2026-11-27T05:00:00+01:00 Grüße\tfrom far away"


class LetterTrigger(Trigger):
    """Fires on letters."""

    kind: Literal["letter"] = "letter"


class Letters(Source):
    """A pile of letters, each with the time at which it came; two fit a page."""

    name = "letters"
    kinds = ("letter",)
    clock = "the postman's watch"

    def __init__(self) -> None:
        self.pile: list[dict[str, Any]] = []
        self.now_ms = 0
        self.asked: list[tuple[set[str], int]] = []

    def comes(self, id_: str, from_: str) -> None:
        self.now_ms += 1000
        self.pile.append({"id": id_, "from": from_, "at_ms": self.now_ms})

    def needs(self, triggers: Sequence[Trigger]) -> set[str]:
        return {trigger.name for trigger in triggers}

    def read(self, api: Api, needs: set[str], since_ms: int) -> Iterator[Page]:
        self.asked.append((needs, since_ms))
        found = [self._event(one) for one in self.pile if one["at_ms"] >= since_ms]
        while len(found) > 2:
            page, found = found[:2], found[2:]
            yield Page(tuple(page), found[0].changed_ms, False, self.now_ms)
        yield Page(tuple(found), self.now_ms, True, self.now_ms)

    def look_up(self, api: Api, needs: set[str], ids: Sequence[str]) -> list[Event]:
        return [self._event(one) for one in self.pile if one["id"] in ids]

    def _event(self, one: dict[str, Any]) -> Event:
        return Event("letter", one["id"], one["at_ms"], name=one["from"])


@pytest.fixture
def letters(world: World) -> Iterator[Letters]:
    """Everything to declare for them: what a trigger on them is, and where they come from."""
    made = Letters()
    made.now_ms = server_now_ms(world.api, world.service) + 5_000
    KINDS["letter"], CLASSES["letter"] = KindOfObject("letters", ids=re.compile(r"[^\0]+")), LetterTrigger
    SOURCES.append(made)
    yield made
    SOURCES.remove(made)
    del KINDS["letter"], CLASSES["letter"]


def from_ann(world: World, **fields: Any) -> Trigger:
    return world.trigger("letter", "from Ann", trigger_name="^Ann$", **fields)


def test_its_events_are_polled_matched_and_fired_once(world: World, letters: Letters) -> None:
    wanted = from_ann(world, action={"parameters": {"Args/letter": "${letter.id}"}})
    world.declare(wanted, world.trigger())
    letters.comes("other 1", "Bob")
    letters.comes(FIRST, "Ann")
    letters.comes("other 2", "Bob")
    failed = world.fail_task()
    world.step()
    keys = {firing_key(world.ledger.scheduler, wanted.id, FIRST, 1): FIRST}
    keys[firing_key(world.ledger.scheduler, "task:on failure", failed, 1)] = failed
    assert dict(world.runs()) == dict.fromkeys(keys, 1)
    firing = world.ledger.firings.get(next(iter(keys)))
    assert firing is not None
    assert (firing.kind, firing.object, firing.state) == ("letter", FIRST, "launched")
    arguments = [task["hyperparams"]["Args"] for task in world.clones()]
    assert [found["letter"]["value"] for found in arguments if "letter" in found] == [FIRST]
    assert letters.asked[0][0] == {"from Ann"}, "it is asked for its own triggers"
    world.step()
    letters.comes(FIRST, "Ann")
    world.step()
    assert sum(world.runs().values()) == 2, "once for each subject"
    letters.comes("second", "Ann")
    world.step()
    assert sum(world.runs().values()) == 3


def test_its_cursor_is_its_own_and_outlives_the_process(world: World, letters: Letters) -> None:
    world.declare(from_ann(world))
    letters.comes("first", "Ann")
    world.step()
    cursor = world.ledger.reading.cursor("letters")
    assert cursor.read_to_ms == letters.now_ms
    assert cursor.plan == world.ledger.registry.version()
    assert world.ledger.reading.cursor("tasks").plan == 0, "nobody needs ClearML tasks"
    letters.comes("second", "Ann")
    world.step(world.context())
    assert len(world.runs()) == 2
    assert letters.asked[-1][1] <= cursor.read_to_ms


def test_its_clock_is_not_taken_for_the_servers(world: World, letters: Letters) -> None:
    world.declare(from_ann(world))
    letters.now_ms += 10**9
    letters.comes("first", "Ann")
    world.poll()
    assert world.ledger.adopt_epoch().server_ms is None
    world.declare(from_ann(world), world.trigger())
    world.poll()
    read_ms = world.ledger.adopt_epoch().server_ms
    assert read_ms is not None
    assert read_ms < letters.now_ms - 10**8


@pytest.mark.sandbox_control
def test_it_is_read_while_the_server_is_away(world: World, letters: Letters) -> None:
    wanted = from_ann(world)
    world.declare(wanted, world.trigger())
    letters.comes(FIRST, "Ann")
    fault = world.sandbox.control.fault("error", "*", status=500)
    with pytest.raises(ServerUnavailable):
        world.poll()
    world.settle()
    firing = world.ledger.firings.get(firing_key(world.ledger.scheduler, wanted.id, FIRST, 1))
    assert firing is not None
    assert firing.state == "waiting"
    world.sandbox.control.clear_faults(fault)


def test_an_idle_poll_of_it_asks_the_server_for_nothing(world: World, letters: Letters) -> None:
    world.declare(from_ann(world))
    world.poll()
    before = world.sandbox.control.counts()
    for _ in range(3):
        world.poll()
    assert world.sandbox.control.counts() == before


@pytest.fixture
def addressed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Workers cannot be imported without an address of Redis."""
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://localhost:1/0")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("addressed")
def test_people_see_it_as_any_other(world: World, letters: Letters) -> None:
    from workers.exporter import _figures

    wanted = from_ann(world)
    world.declare(wanted, world.trigger())
    letters.comes(FIRST, "Ann")
    letters.comes("other", "Bob")
    world.step()
    target: Any = SimpleNamespace(
        ledger=world.ledger,
        api=world.api,
        settings=world.settings,
        scheduler=SimpleNamespace(service_task=world.service, host="https://api.example.com", web=""),
    )
    (view,) = [view for view in views(target) if view.entry.trigger.id == wanted.id]
    assert (view.state, view.read_to_ms, view.objects) == ("active", letters.now_ms, 1)
    assert view.considered is not None
    assert view.considered.kind == "letter"
    entry = world.ledger.registry.snapshot().entries[wanted.id]
    assert judge(gather(target, entry, FIRST)).answer == "fired"
    assert judge(gather(target, entry, "other")).answer == "does not fire"
    found = read_object(world.api, [wanted], FIRST, "letter")
    assert found is not None
    assert (found.kind, found.id) == ("letter", FIRST)
    assert [event.id for event in changed_since(world.api, [wanted], 0)] == [FIRST, "other"]
    assert link(target.scheduler, "letter", FIRST) == "", "it has no page in ClearML"
    figures = {(name, values): number for name, values, number in _figures(world.ledger)}
    assert figures["cursor_timestamp_seconds", ("letters",)] == letters.now_ms / 1000


def test_a_trigger_of_it_outlives_a_round_trip_through_the_registry(world: World, letters: Letters) -> None:
    wanted = from_ann(world)
    assert Trigger.from_json(wanted.to_json()) == wanted
    event = letters.look_up(world.api, set(), []) or [Event("letter", FIRST, 1, name="Ann")]
    assert Event.from_json(event[0].to_json()) == event[0]
