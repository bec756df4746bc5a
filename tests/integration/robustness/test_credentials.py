"""Workers whose credentials are missing, revoked or of another workspace leave the scheduler alone, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.stages.conftest import World
from triggers.base.errors import Refused, Usage
from triggers.base.settings import settings as cached
from triggers.clearml_api import Credentials, identity, launches
from triggers.ledger.deployment import exclusions, schedulers
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.operate.status import line, read_status
from triggers.operate.target import Target


@pytest.fixture
def runtime(world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in world.sandbox.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    cached.cache_clear()
    from workers.app import app
    from workers.runtime import Runtime

    made = Runtime(app, cached())
    yield made
    made.client.close()
    if made.identity.api is not None:
        made.identity.api.close()
    cached.cache_clear()


def enter(world: World, *, workspace: str = "") -> Scheduler:
    """The world's scheduler, of this workspace or of another one."""
    scheduler = Scheduler(world.sandbox.url, workspace or identity(world.api), "p", "n", 5.0)
    schedulers.put(world.ledger.store.client, scheduler)
    return scheduler


def test_worker_of_another_workspace_on_the_same_server_leaves_the_scheduler_alone(
    world: World, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    theirs, mine = enter(world, workspace="another"), enter(world)
    assert set(runtime.served()) == {mine.id}
    assert runtime.run(theirs.id, lambda ctx: "ran") is None
    assert runtime.run(mine.id, lambda ctx: "ran") == "ran"
    assert "p/n is not served by this worker: its workspace is another" in caplog.text
    assert caplog.text.count("is not served by this worker") == 1, "said once"
    assert set(runtime.left_alone) == {theirs.id}


def test_worker_without_credentials_says_so_and_serves_once_it_has_some(
    world: World, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = enter(world)
    good = Credentials.resolve()

    def none() -> Credentials:
        raise Usage("no ClearML credentials in the environment or clearml.conf")

    now = [0.0]
    runtime.identity._resolve, runtime.identity._clock = none, lambda: now[0]
    assert runtime.served() == {}
    assert runtime.run(scheduler.id, lambda ctx: "ran") is None
    assert "p/n is not served by this worker: no ClearML credentials" in caplog.text
    runtime.identity._resolve = lambda: good
    now[0] += 9
    assert runtime.served() == {}, "it does not ask at every message"
    now[0] += 2
    assert runtime.run(scheduler.id, lambda ctx: "ran") == "ran"


def test_worker_that_starts_while_the_server_fails_serves_soon_after_it_answers(world: World, runtime: Any) -> None:
    """It asks after 1, 2, 4 and 8 s, then every 10 s: neither does it wait for long, nor storm the server."""
    scheduler, now, asked = enter(world), [0.0], []
    resolve = runtime.identity._resolve

    def noted() -> Credentials:
        asked.append(now[0])
        return resolve()  # type: ignore[no-any-return]

    runtime.identity._resolve, runtime.identity._clock = noted, lambda: now[0]
    fault = world.sandbox.control.fault("error")
    while now[0] < 40:
        assert runtime.run(scheduler.id, lambda ctx: "ran") is None
        now[0] += 0.5
    assert asked == [0, 1, 3, 7, 15, 25, 35]
    world.sandbox.control.clear_faults(fault)
    now[0] += 5
    assert runtime.run(scheduler.id, lambda ctx: "ran") == "ran"


def test_worker_whose_key_pair_is_revoked_takes_nothing_more(
    world: World, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = enter(world)
    assert runtime.run(scheduler.id, lambda ctx: "ran") == "ran"
    fresh = Credentials.resolve()
    revoked = Credentials(fresh.host, fresh.access_key, "revoked")
    runtime.identity._resolve = lambda: revoked
    runtime.identity.api.credentials = revoked
    world.sandbox.control.expire_tokens()

    def stage(ctx: Any) -> None:
        with pytest.raises(Refused):
            launches.read_statuses(ctx.api, ["a" * 32])

    runtime.run(scheduler.id, stage)
    assert runtime.served() == {}
    assert "refuses this worker's key pair" in caplog.text
    runtime.identity._resolve, runtime.identity._ask_at = (lambda: fresh), 0.0
    assert runtime.run(scheduler.id, lambda ctx: ctx.api.credentials.secret_key) == fresh.secret_key


def test_a_key_pair_that_is_exchanged_in_the_secrets_folder_counts_without_a_restart(
    world: World, runtime: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler, good = enter(world), Credentials.resolve()
    for name in ("access_key", "secret_key"):
        monkeypatch.delenv(f"CLEARML_API_{name.upper()}")
        (tmp_path / f"clearml_api_{name}").write_text(getattr(good, name))
    monkeypatch.setenv("TRIGGERS_SECRETS_DIR", str(tmp_path))
    # the pair with which it began is revoked
    old = Credentials(good.host, good.access_key, "revoked")
    (tmp_path / "clearml_api_secret_key").write_text("revoked")
    now = [0.0]
    runtime.identity._clock = lambda: now[0]
    assert runtime.served() == {}
    assert runtime.identity.api.credentials == old
    (tmp_path / "clearml_api_secret_key").write_text(good.secret_key + "\n")
    now[0] += 11
    assert runtime.run(scheduler.id, lambda ctx: ctx.api.credentials.secret_key) == good.secret_key


def test_workers_that_leave_it_alone_are_seen_in_status_and_doctor(world: World, runtime: Any) -> None:
    from triggers.operate.doctor.workers import look

    scheduler, client = enter(world), world.ledger.store.client
    reasons = {world.ledger.scheduler: "p/n is left alone: the ClearML server refuses this worker's key pair"}
    exclusions.say(client, "poll@host:ab12", reasons)
    client.hset("triggers:left_alone", "broken@host:1", "{")
    target = Target(scheduler, world.ledger, world.settings, True, "here")
    status = read_status(target)
    assert status.left_alone == {"poll@host": reasons[world.ledger.scheduler]}
    assert "1 worker does not serve it" in line(status)
    cached.cache_clear()
    found = [one for one in look(Target(scheduler, world.ledger, cached(), True, "here")) if "poll@host" in one.about]
    assert [one.level for one in found] == ["bad"]
    exclusions.say(client, "match@host:cd34", reasons)
    assert not client.hexists("triggers:left_alone", "broken@host:1"), "what cannot be read is forgotten"
    exclusions.say(client, "poll@host:ab12", {})
    assert set(exclusions.of(client, world.ledger.scheduler)) == {"match@host"}
