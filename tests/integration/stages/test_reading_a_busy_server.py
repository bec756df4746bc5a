"""What a poll costs, in requests, objects and bytes: at rest, and while many running tasks report metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.clearml_api.narrowing import FEW
from triggers.clearml_api.transport import Connection, Reply
from triggers.model import Trigger

pytestmark = pytest.mark.sandbox_control

BUSY, WATCHED = 1_500, 60
METRIC = {"trigger_on_metric": "loss", "trigger_on_variant": "val", "trigger_on_threshold": 0.1}


@dataclass
class Traffic:
    """Bytes of the answers to polls, and which calls they were."""

    size: int = 0

    def of(self, world: World) -> tuple[Counter[str], int]:
        """The requests and bytes of one poll."""
        self.size = 0
        before = Counter(world.sandbox.control.counts())
        world.poll()
        return Counter(world.sandbox.control.counts()) - before, self.size

    def of_everything(self, world: World) -> tuple[Counter[str], int]:
        """The same by a plan that leaves nothing out."""
        assert world.ctx.needs
        known = world.ctx.needs
        world.ctx.needs = {name: _of_all(needs) for name, needs in known.items()}
        return self.of(world)


def _of_all(needs: Any) -> Any:
    """What a source needs, without the queries that narrow it."""
    return replace(needs, queries=()) if is_dataclass(needs) else needs


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    traffic, post = Traffic(), Connection.post

    def counted(self: Connection, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        reply = post(self, path, body, headers)
        traffic.size += len(reply.content)
        return reply

    monkeypatch.setattr(Connection, "post", counted)
    return traffic


def watchers(world: World, **fields: object) -> list[Trigger]:
    """Ten triggers that watch three projects."""
    return [world.trigger(name=f"t{n}", trigger_project=f"Watched {n % 3}", **METRIC, **fields) for n in range(10)]


def make_busy(world: World) -> dict[str, list[str]]:
    """Running tasks: many in a project that nobody watches, some in three that are."""
    projects = [world.call("projects.create", name=name, description="")["id"] for name in ("Busy", "Watched 0")]
    projects += [world.call("projects.create", name=f"Watched {n}", description="")["id"] for n in (1, 2)]
    busy = [world.create_task(f"busy {n}", project=projects[0]) for n in range(BUSY)]
    watched = [world.create_task(f"watched {n}", project=projects[1 + n % 3]) for n in range(WATCHED)]
    return {"busy": busy, "watched": watched}


def report(world: World, tasks: list[str], value: float = 1.0) -> None:
    """All report one metric."""
    events = [
        {"type": "training_stats_scalar", "task": task, "iter": 1, "metric": "loss", "variant": "val", "value": value}
        for task in tasks
    ]
    for start in range(0, len(events), 50):  # one batch stamps its tasks alike
        world.api.call("events.add_batch", events[start : start + 50])


@pytest.mark.parametrize(
    ("kinds", "calls"),
    [
        (["task"], {"tasks.get_all_ex": 1}),
        (["dataset"], {"tasks.get_all_ex": 1}),
        (["model"], {"models.get_all_ex": 1}),
        (["task", "dataset", "model"], {"tasks.get_all_ex": 1, "models.get_all_ex": 1}),
    ],
    ids=["tasks", "datasets", "models", "all kinds"],
)
def test_an_idle_poll_of_a_thousand_triggers_is_two_requests_at_most(
    world: World, traffic: Traffic, kinds: list[str], calls: dict[str, int]
) -> None:
    world.declare(*(world.trigger(kinds[n % len(kinds)], f"t{n}", trigger_project=f"P{n}") for n in range(1_000)))
    world.poll()
    for _ in range(3):
        assert traffic.of(world)[0] == calls


@pytest.mark.parametrize("mixed", [False, True], ids=["tasks", "with datasets and models"])
def test_a_poll_of_a_busy_server_reads_what_triggers_can_concern(world: World, traffic: Traffic, mixed: bool) -> None:
    tasks = make_busy(world)
    others = [
        world.trigger("dataset", "finalized", trigger_project="Watched 0"),
        world.trigger("model", "published", trigger_on_publish=True, trigger_project="Watched 1"),
    ]
    world.declare(*watchers(world), *(others if mixed else []))
    world.poll()
    models = {"models.get_all_ex": 1} if mixed else {}
    report(world, tasks["busy"] + tasks["watched"])
    first, first_size = traffic.of(world)
    assert first["projects.get_all"] == 2, "before and after what was read by them"
    assert first["tasks.get_all_ex"] == 2
    report(world, tasks["busy"] + tasks["watched"])
    world.ctx.memories["tasks"].polls = 1
    narrowed, size = traffic.of(world)
    assert narrowed == {"tasks.get_all_ex": 1, "projects.get_all": 1} | models
    report(world, tasks["busy"] + tasks["watched"])
    everything, whole_size = traffic.of_everything(world)
    assert everything == {"tasks.get_all_ex": 4} | models
    assert size / whole_size < 1.5 * WATCHED / BUSY
    assert first_size / whole_size < 3 * (WATCHED + FEW) / BUSY


def test_a_trigger_that_requires_nothing_makes_polls_read_everything(world: World, traffic: Traffic) -> None:
    tasks = make_busy(world)
    world.declare(*watchers(world), world.trigger(name="any", trigger_on_tags=["x"], policy={"fire": "on_transition"}))
    world.poll()
    for _ in range(2):
        report(world, tasks["busy"] + tasks["watched"])
        assert traffic.of(world)[0]["tasks.get_all_ex"] >= BUSY // 500 + 1


def test_narrowed_polls_fire_what_polls_of_everything_fire(world: World) -> None:
    """Also for a project that is made, one that is renamed and a task that is moved while polls are narrowed."""
    tasks = make_busy(world)
    world.declare(
        *watchers(world)[:3],
        *(world.trigger(name=name, trigger_project=name, **METRIC) for name in ("Later", "New name")),
    )
    world.poll()
    report(world, tasks["busy"] + tasks["watched"])
    world.step()
    assert world.history("launched") == []
    world.ctx.memories["tasks"].polls = 2
    report(world, tasks["watched"][:1], 0.0)
    later = world.call("projects.create", name="Later", description="")["id"]
    old = world.call("projects.create", name="Old name", description="")["id"]
    world.call("tasks.move", ids=tasks["busy"][:1], project=later)
    world.call("tasks.move", ids=tasks["busy"][1:2], project=old)
    world.step()
    world.call("projects.update", project=old, name="New name")
    fired = [*tasks["watched"][:1], *tasks["busy"][:2]]
    report(world, fired, 0.0)
    world.step()
    assert sorted(entry.object for entry in world.history("launched")) == sorted(fired)
