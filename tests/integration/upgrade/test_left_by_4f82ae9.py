"""A Redis, a state folder and a service task left by an earlier commit go on working, and nothing fires again.

`make.py` says how the data came about, and made it with that commit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.integration.cli_verbs.conftest import run
from tests.integration.upgrade.conftest import ARRIVALS, BINARIES, Upgraded, empty, left
from triggers.operate import changes
from triggers.operate.target import Target

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("upgrade"), pytest.mark.sandbox_control]

#: What was called otherwise then.
WORDS = {"retry": "failed"}
POLICIES = {
    "again when the condition was false in between": "once each time the condition becomes true",
    "at most 1 launches a minute": "at most 1 launch a minute",
}
#: What had been launched when it was left.
BEFORE = {
    "plain: first", "plain: by hand", "transition: first", "repeating: first", "skipping: first", "queueing: first",
    "latest: first", "paced: first", "reusing: first",
}  # fmt: skip
#: What waited: granted, held, to be retried, cut off at three points of a launch, for a function, in a batch.
WAITED = {
    "plain: granted", "queueing: second", "latest: third", "paced: second", "drafted: first", "half done: first",
    "its own", "here: granted", "anywhere: granted", "unmatched: first",
}  # fmt: skip

arrivals = pytest.mark.parametrize("world", ARRIVALS.values(), ids=ARRIVALS, indirect=True)
NOT_LEFT = (empty, next(iter(BINARIES.values())))


def as_facts(shown: dict[str, Any]) -> dict[str, Any]:
    """What `show` says, apart from the order of clauses and what depends on the moment."""
    moment = ("lag_seconds", "read_to")
    kind, _, clauses = shown["condition"].partition(": ")
    return {key: value for key, value in shown.items() if key not in moment} | {
        "condition": (kind, sorted(clauses.split("; "))),
        "policy": [POLICIES.get(words, words) for words in shown["policy"]],
        "counts": {WORDS.get(what, what): count for what, count in shown["counts"].items()},
    }


@arrivals
def test_everything_reads_as_it_did(world: Upgraded) -> None:
    said = left("said")
    facts = ("what", "trigger", "object", "task", "reason", "at")
    then = [{**entry, "what": WORDS.get(entry["what"], entry["what"])} for entry in said["history"]]
    history = run("history", "--json", "--limit", "1000").json
    assert [tuple(e.get(f) for f in facts) for e in history] == [tuple(e.get(f) for f in facts) for e in then]
    for name, shown in said["show"].items():
        now = run("show", name, "--json").json
        assert as_facts({key: now.get(key) for key in shown}) == as_facts(shown), name
    assert {one["name"] for one in run("list", "--json").json} == {one["name"] for one in said["list"]}


@arrivals
def test_what_waits_goes_on_exactly_once_and_nothing_fires_again(world: Upgraded) -> None:
    assert set(world.launched()) == BEFORE
    world.rounds()
    once(world, BEFORE | WAITED)
    (entry,) = [one for one in world.ledger.registry.snapshot().active if one.trigger.name == "paused"]
    assert entry.paused
    target = Target(world.scheduler, world.ledger, world.settings, running=True, where="here")
    changes.resume(target, [entry], skip_missed=False)
    world.call("queues.create", name="made later")
    world.rounds()
    once(world, BEFORE | WAITED | {"paused: first", "retried: first"})
    assert {firing.trigger for firing in world.ledger.operations.dead()} == {"task:dead"}
    assert not world.ledger.undecided.partitions()


@arrivals
def test_the_script_registered_again_keeps_all_of_it(world: Upgraded) -> None:
    before = world.ledger.registry.snapshot().entries
    world.register()
    after = world.ledger.registry.snapshot().entries
    for id_, entry in before.items():
        assert replace(after[id_], version=entry.version) == entry
    world.rounds()
    once(world, BEFORE | WAITED)


@pytest.mark.parametrize("world", [NOT_LEFT], indirect=True, ids=["service task"])
def test_the_service_task_alone_is_gone_on_from(world: Upgraded) -> None:
    world.register()
    world.rounds()
    launched = world.launched()
    assert not {name for name in launched if name.startswith(("dropped", "paused"))}
    assert "skipping: second" not in launched
    assert set(launched) >= WAITED
    assert set(world.runs().values()) == {1}
    names = {entry.trigger.name: entry for entry in world.ledger.registry.snapshot().active}
    assert names["paused"].paused
    assert "applied" in names
    assert "retired" not in names


def once(world: Upgraded, expected: set[str]) -> None:
    """Exactly these objects were launched for, each once, also by what is on the server."""
    assert world.launched() == dict.fromkeys(expected, 1)
    assert set(world.runs().values()) == {1}
