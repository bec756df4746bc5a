"""Who changed what is written down whichever way it was changed, and a log that was cut or changed is seen."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.service.test_inheritance import HomeWorld, home_world
from triggers.base.settings import settings as settings_of_process
from triggers.ledger.history.chain import Link
from triggers.ledger.keys import shared
from triggers.sync import renewal

__all__ = ["home_world"]


@pytest.fixture
def world(home_world: HomeWorld, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TRIGGERS_REDIS_URL", redis_url)
    monkeypatch.setenv("TRIGGERS_WHO", "ann")
    settings_of_process.cache_clear()
    home_world.ledger.store.client.delete(shared("schedulers"))  # of the world that this one is made from
    yield home_world
    settings_of_process.cache_clear()


def audited(what: str) -> list[dict[str, Any]]:
    return [line for line in run("audit", "--json").json if line["what"] == what]


def test_a_script_that_registers_is_written_down_with_who_runs_it(world: HomeWorld) -> None:
    one, other = world.trigger(), world.trigger(name="other")
    world.come_home(one, other)
    (line,) = audited("register")
    assert (line["added"], line["edited"], line["removed"], line["outcome"]) == (
        ["on failure", "other"],
        [],
        [],
        "done",
    )
    assert line["who"].startswith("ann, ClearML user ")
    assert line["script"]
    world.come_home(one, other)
    assert len(audited("register")) == 1, "the same again changes nothing"
    world.come_home(world.trigger(trigger_on_tags=["gold"]))
    assert (audited("register")[-1]["edited"], audited("register")[-1]["removed"]) == (["on failure"], ["other"])


def test_an_edit_in_clearml_is_written_down_with_the_person(world: HomeWorld) -> None:
    world.come_home(world.trigger(), world.trigger(name="other"))
    world.sync()
    (first, second) = world.section("task")
    world.edit_section("task", [first | {"queue": "other"}])
    world.sync()
    (line,) = audited("section edit")
    assert (line["edited"], line["removed"]) == ([first["name"]], [second["name"]])
    assert "ClearML user" in line["who"]
    assert line["service_task"] == world.service


def test_the_user_who_changed_the_task_last_is_named(world: HomeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    from triggers.sync import registering

    monkeypatch.setattr(registering, "user_of", lambda _: "keys of the workers")
    monkeypatch.setattr(renewal, "user_of", lambda _: "keys of the workers")
    world.come_home(world.trigger())
    world.sync()
    (item,) = world.section("task")
    world.edit_section("task", [item | {"queue": "other"}])
    world.sync()
    (line,) = audited("section edit")
    user = world.call("users.get_current_user")["user"]
    assert line["who"] == f"ClearML user {user['name']}"


def test_verify_sees_a_cut_and_a_change(world: HomeWorld) -> None:
    world.come_home(world.trigger())
    for _ in range(3):
        run("pause", "--all")
        run("resume", "--all")
    whole = run("audit", "--verify")
    assert (whole.code, "the log is whole" in whole.out) == (0, True)
    client, name = world.ledger.store.client, world.ledger.keys.audit
    entries: Any = client.xrange(name)
    client.xdel(name, entries[4][0])
    cut = run("audit", "--verify", "--json")
    assert (cut.code, cut.json["faults"]) == (1, ["lines 5 to 5 are missing"])
    client.xdel(name, entries[-1][0])
    assert "missing at the end" in run("audit", "--verify").out


def test_a_log_that_was_emptied_with_its_head_is_seen_on_the_service_task(world: HomeWorld) -> None:
    world.come_home(world.trigger())
    run("pause", "--all")
    world.sync()
    assert run("audit", "--verify").code == 0
    world.ledger.store.client.delete(world.ledger.keys.audit, world.ledger.keys.audit_head)
    seen = run("audit", "--verify")
    assert seen.code == 1
    assert "the service task has shown line" in seen.out


def test_without_the_server_the_chain_is_checked_and_the_verdict_says_so(
    world: HomeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.come_home(world.trigger())
    monkeypatch.setenv("CLEARML_API_HOST", "http://127.0.0.1:9")
    found = run("audit", "--verify", "--json")
    assert found.code == 0
    assert "http://127.0.0.1:9" in found.json["not_compared"]


def test_another_redis_goes_on_with_the_chain(world: HomeWorld) -> None:
    trigger = world.trigger()
    world.come_home(trigger)
    run("pause", "--all")
    renewal.give_back(world.ctx, world.scheduler)
    last = world.ledger.audit.head()
    world.ledger.store.client.flushall()
    world.come_home(trigger)
    assert world.ledger.audit.head().seq > last.seq
    assert run("audit", "--verify").code == 0


def test_lines_of_many_at_once_are_one_chain(world: HomeWorld) -> None:
    world.come_home(world.trigger())

    def write() -> None:
        for _ in range(20):
            with world.ledger.audit.change("pause"):
                pass

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count, found = world.ledger.audit.verify(Link())
    assert found == []
    assert count >= 160
