"""What others write into ClearML about a scheduler is believed only as far as it can be true."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.base.errors import Usage
from triggers.clearml_api import server_now_ms
from triggers.clearml_api.workspace import user_of
from triggers.client import inheritance, service_task
from triggers.client.service_task import ServiceTask
from triggers.ledger.deployment import schedulers
from triggers.model.launch_tags import service_tag
from triggers.sync import renewal, takeover, trust
from triggers.sync.redis_lease import KNOCK, LIFE_MS, SILENT_LIFE_MS, RedisLease, leases_in
from triggers.sync.saved_state import PROPERTY, Saved

pytestmark = pytest.mark.sandbox_control

IN_2286_MS = 10**13
#: How soon the holder of a lease says that it answers.
ANSWER_MS = 60_000


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "KEEP_SECONDS", 0.0)
    trust._named.clear()


def forge(world: ServiceWorld, *, user: str | None = "mallory", task: str = "", **runtime: str) -> str:
    """A task with the scheduler's service mark and a runtime of somebody's choice, made by another user."""
    if not task:
        task = world.create_task(name="looks genuine")
        mark = service_tag(world.ledger.scheduler)
        world.call("tasks.edit", task=task, system_tags=[mark], force=True)
    world.call("tasks.edit_runtime", task=task, add_or_update=runtime, force=True)
    if user is not None:
        world.sandbox.app.state.tasks.get(task)["user"] = user
    return task


def lease(world: ServiceWorld, *, since: int = -1000, until: int = LIFE_MS) -> RedisLease:
    now_ms = server_now_ms(world.api)
    return RedisLease(
        "other", "redis://elsewhere", "process 7 on h", now_ms + since, now_ms + until, answers_ms=ANSWER_MS
    )


def serves(world: ServiceWorld) -> bool:
    return world.ledger.scheduler in schedulers.all_of(world.ledger.store.client)


@pytest.mark.parametrize("until", [LIFE_MS, IN_2286_MS])
def test_a_lease_on_a_task_of_another_user_stops_and_refuses_nobody(
    service_world: ServiceWorld, caplog: pytest.LogCaptureFixture, until: int
) -> None:
    world = service_world
    world.declare(world.trigger())
    world.sync()
    for step in range(3):  # renewed again and again
        forged = lease(world, since=-(10**9), until=until + step)
        task = forge(world, **{forged.property: forged.to_json()})
        world.sync()
        assert serves(world)
    takeover.take_over(world.ctx, world.scheduler)
    said = [record.getMessage() for record in caplog.records if "is not trusted" in record.getMessage()]
    assert any(task in line and "mallory" in line and "TRIGGERS_SERVICE_USERS" in line for line in said)
    world.sync()
    assert len([r for r in caplog.records if task in r.getMessage() and "not trusted" in r.getMessage()]) == 1


def test_a_user_named_in_the_settings_is_believed(service_world: ServiceWorld) -> None:
    world = service_world
    world.declare(world.trigger())
    ctx = world.context(service_users=("mallory", "another"))
    first = lease(world)
    task = forge(world, **{first.property: first.to_json()})
    assert renewal.keep(ctx, world.scheduler, _memory(world, ctx), force=True)
    later = replace(first, until_ms=first.until_ms + 1)
    forge(world, task=task, **{later.property: later.to_json()})
    memory = _memory(world, ctx)
    memory.put("rival", first.to_json())
    assert not renewal.keep(ctx, world.scheduler, memory, force=True)
    text = ctx.ledger.history.alarms()[renewal.REDIS_ALARM]["text"]
    assert f"according to ClearML task {task}, made by user mallory" in text


def _memory(world: ServiceWorld, ctx: Any) -> Any:
    from triggers.sync.memory import Memory

    with ctx.ledger.syncing.turn(5) as token:
        assert token
        return Memory(ctx.ledger, token)


@pytest.mark.parametrize("until", [IN_2286_MS, LIFE_MS + 3_600_000])
def test_a_lease_that_outlives_its_life_counts_for_nothing_wherever_it_stands(
    service_world: ServiceWorld, until: int
) -> None:
    world = service_world
    world.declare(world.trigger())
    for step in range(3):
        forged = lease(world, until=until + step)
        forge(world, user=None, task=world.service, **{forged.property: forged.to_json()})
        world.sync()
        assert serves(world)
    takeover.take_over(world.ctx, world.scheduler)


@pytest.mark.parametrize("answers_ms", [ANSWER_MS, 0])
def test_a_lease_that_nobody_renews_refuses_nobody_after_its_holder_should_have_answered(
    service_world: ServiceWorld, monkeypatch: pytest.MonkeyPatch, answers_ms: int
) -> None:
    """One that does not say how soon its holder answers is of an earlier release: it runs out after a minute."""
    world = service_world
    forged = replace(lease(world, until=LIFE_MS if answers_ms else SILENT_LIFE_MS), answers_ms=answers_ms)
    forge(world, user=None, task=world.service, **{forged.property: forged.to_json()})
    ahead = 0.0

    def pass_time(seconds: float) -> None:
        nonlocal ahead
        ahead += max(seconds, 10.0)
        world.sandbox.control.clock(offset_seconds=ahead)

    asking: list[bool] = []

    def ask(do: Callable[[], float]) -> float:
        asking.append(True)
        found = do()
        asking.append(False)
        return found

    def pass_time_between(seconds: float) -> None:
        assert asking[-1:] == [False], "a wait for a lease is no wait for the ClearML server, and not reported as one"
        pass_time(seconds)

    monkeypatch.setattr(takeover.time, "sleep", pass_time_between)
    takeover.take_over(world.ctx, world.scheduler, ask=ask)
    world.sandbox.control.clock(offset_seconds=0.0)
    assert 60 <= ahead <= 75
    runtime = world.task()["runtime"]
    assert world.ledger.homes.instance() in {one.instance for one in leases_in([runtime])}
    assert KNOCK not in runtime
    if answers_ms:
        assert forged.property not in runtime, "its holder, should it live, finds itself replaced"


def test_a_lease_that_is_renewed_refuses_with_the_task_that_says_so(
    service_world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = service_world
    genuine = lease(world)
    forge(world, user=None, task=world.service, **{genuine.property: genuine.to_json()})
    renewed = replace(genuine, until_ms=genuine.until_ms + 20_000)
    monkeypatch.setattr(
        takeover.time,
        "sleep",
        lambda _: forge(world, user=None, task=world.service, **{renewed.property: renewed.to_json()}),
    )
    with pytest.raises(Usage, match=f"according to ClearML task {world.service}, made by user {user_of(world.api)}"):
        takeover.take_over(world.ctx, world.scheduler)


def test_others_cannot_crowd_out_the_service_task(service_world: ServiceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = service_world
    monkeypatch.setattr("triggers.clearml_api.service.RECENT", 3)
    for _ in range(4):
        forge(world)
    found = trust.believed(world.api, world.ledger.scheduler, world.service)
    assert [one.id for one in found] == [world.service]


@pytest.mark.parametrize("user", ["mallory", None])
def test_a_forged_state_pauses_nothing_and_skips_no_change(
    service_world: ServiceWorld, caplog: pytest.LogCaptureFixture, user: str | None
) -> None:
    """Of another user, or from the future on a task of our own."""
    world = service_world
    world.step()
    world.sync()
    trigger = world.trigger()
    saved_ms = server_now_ms(world.api) + (3_600_000 if user is None else 0)
    forged = Saved(saved_ms, saved_ms, paused=(trigger.id,)).to_json()
    task = world.service if user is None else ""
    forge(world, user=user, task=task, **{PROPERTY: forged})
    with caplog.at_level(logging.WARNING):
        found = inheritance.look(world.api, world.scheduler, [trigger], world.settings, None)
    assert found.paused == ()


def test_what_an_artifact_of_that_name_pickles_is_not_run(
    service_world: ServiceWorld, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, sdk_in_process: None
) -> None:
    import pickle

    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> Any:
            return (open, (str(ran), "w"))

    file = tmp_path / "state.pkl"
    file.write_bytes(pickle.dumps(Evil()))
    world = service_world
    kind = {"content_type": "application/pickle"}
    artifact = {"key": "state", "type": "pickle", "uri": file.as_uri(), "type_data": kind}
    for name, value in world.sandbox.env().items():
        monkeypatch.setenv(name, value)
    world.call("tasks.add_or_update_artifacts", task=world.service, artifacts=[artifact], force=True)
    task = ServiceTask(world.service, "P", "service task", None)
    text = service_task.original_state(world.api, task, {user_of(world.api)})
    assert not ran.exists()
    assert text is None or "reduce" not in text
    stranger = world.create_task(name="service task")
    world.call("tasks.add_or_update_artifacts", task=stranger, artifacts=[artifact], force=True)
    world.sandbox.app.state.tasks.get(stranger)["user"] = "mallory"
    elsewhere = ServiceTask("0" * 32, "P", "service task", None)
    assert service_task.original_state(world.api, elsewhere, set()) is None
