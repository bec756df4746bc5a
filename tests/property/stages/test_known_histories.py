"""Histories that once broke a promise, or that show where a promise ends."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import redis

from tests.property.stages import promises
from tests.property.stages.actors import Actor, Outcome
from tests.property.stages.interleaving import Interleaving
from tests.property.stages.world import SCHEDULER
from triggers.ledger.firings.firing import firing_key


@pytest.fixture
def run(redis_servers: list[redis.Redis], clock: SimpleNamespace) -> Interleaving:
    return Interleaving(redis_servers, clock)


def begin(run: Interleaving, process: int = 0, *, until: str = "", stage: str = "dispatch") -> Actor:
    """An actor that stands before its first call of that kind."""
    actor = run.world.processes[process].begin(stage)
    while until and not actor.ended and not actor.point.startswith(until):
        run.world.resume(actor)
    return actor


def go_on(run: Interleaving, actor: Actor, outcome: Outcome = "ok", *, until: str = "the end") -> None:
    run.world.resume(actor, outcome)
    while not actor.ended and not actor.point.startswith(until):
        run.world.resume(actor)


def come_to_rest(run: Interleaving) -> None:
    run.faults_are_over()
    for _ in range(8):
        run.round()
        promises.check(run)
    promises.the_history_is_consistent(run)
    assert not promises.missing(run)


def only(run: Interleaving, *names: str) -> None:
    """Keep these triggers only."""
    run.triggers = [trigger for trigger in run.triggers if trigger.name in names]
    run.declare()


def test_a_clone_call_that_arrives_twice_makes_no_event(
    redis_servers: list[redis.Redis], clock: SimpleNamespace
) -> None:
    """The second draft carries all that the launch carries, as a copy would, but is older than what was enqueued."""
    run = Interleaving(redis_servers, clock, edits=True)
    run.object_fails()
    run.look()
    actor = begin(run, until="tasks.clone")
    go_on(run, actor, "twice")
    come_to_rest(run)
    assert not [key for key in run.server.launched if run.server.launched[key] > 1]


def test_a_withdrawal_that_redis_forgets_is_no_launch(run: Interleaving) -> None:
    run.object_fails()
    run.look()
    begin(run, until="tasks.enqueue").kill()
    run.fsync()  # the record is on disk
    run.world.expire()
    other = begin(run, 1, until="withdraw")
    go_on(run, other, "ok", until="withdraw")
    run.world.expire()
    begin(run, 2, until="clear").kill()
    run.restart(5)
    come_to_rest(run)


def test_a_withdrawal_goes_on_when_it_is_on_disk(run: Interleaving) -> None:
    run.object_fails()
    run.look()
    begin(run, until="tasks.enqueue").kill()
    run.world.expire()
    begin(run, 1, until="nothing")  # announces
    assert run.server.deleted == []
    run.fsync()
    run.world.expire()
    begin(run, 2, until="nothing")
    assert len(run.server.deleted) == 2, "one draft of each trigger"
    come_to_rest(run)


def test_a_copy_of_a_launch_by_an_earlier_attempt_is_no_stray(run: Interleaving) -> None:
    run.object_fails()
    run.look()
    killed = begin(run, until="tasks.enqueue")
    run.world.resume(killed, "killed after")
    run.world.expire()
    begin(run, 1, until="nothing")  # finds it launched
    run.person_copies(0)
    run.world.expire()
    run.undisturbed(5)  # reconcile
    run.world.expire()
    run.undisturbed(5)
    assert run.server.copies <= set(run.server.tasks)
    come_to_rest(run)


def test_the_wait_for_a_late_enqueue_of_a_forgotten_attempt_ignores_the_age_of_the_firing(run: Interleaving) -> None:
    only(run, "once")
    run.object_fails()
    run.look()
    run.fsync()
    run.time_passes()  # it was held, or the server was down
    late = begin(run, until="tasks.enqueue")
    run.world.resume(late, "killed, late")
    run.restart(5)
    for _ in range(3):
        run.world.expire()
        run.undisturbed(0)
    run.late_call(0)
    promises.check(run)
    run.look()
    key = firing_key(SCHEDULER, "task:once", run.objects[0], 1)
    assert run.server.launched[key] == 1


def test_a_late_enqueue_of_a_forgotten_attempt_keeps_its_slot(run: Interleaving) -> None:
    only(run, "single")
    run.object_fails()
    run.look()
    run.fsync()
    late = begin(run, until="tasks.enqueue")
    run.world.resume(late, "killed, late")
    run.object_fails()
    run.restart(5)
    run.look()
    for _ in range(3):
        run.world.expire()
        run.undisturbed(0)
    run.late_call(0)
    promises.a_slot_has_one_live_holder(run)


@pytest.mark.xfail(strict=True, reason="the limit: frozen longer than a call can be late while Redis forgets")
def test_a_process_frozen_for_long_while_redis_forgets(run: Interleaving) -> None:
    only(run, "once")
    run.object_fails()
    run.look()
    run.fsync()
    frozen = begin(run, until="tasks.enqueue")
    run.restart(5)
    run.clock.skew_seconds += 1_000
    for _ in range(3):
        run.world.expire()
        run.undisturbed(0)
    run.world.finish(frozen)
    promises.nothing_is_launched_twice(run)


def test_the_last_attempt_deletes_its_draft_before_it_gives_up(
    redis_servers: list[redis.Redis], clock: SimpleNamespace
) -> None:
    run = Interleaving(redis_servers, clock, max_attempts=1)
    only(run, "single")
    run.object_fails()
    run.look()
    actor = begin(run, until="tasks.enqueue")
    go_on(run, actor, "late")
    key = firing_key(SCHEDULER, "task:single", run.objects[0], 1)
    firings = run.world.ledger.firings
    assert firings.get(key).state == "waiting", "its draft may still be enqueued"
    assert firings.slot_holder("task:single")[0] == f"{key} "
    run.fsync()
    run.world.expire()
    begin(run, 1, until="nothing")
    run.late_call(0)
    assert firings.get(key).state == "dead"
    assert firings.slot_holder("task:single")[0] == ""
    assert not run.server.launched
    promises.check(run)


def test_a_launch_that_the_last_attempt_did_not_hear_of_is_found(
    redis_servers: list[redis.Redis], clock: SimpleNamespace
) -> None:
    run = Interleaving(redis_servers, clock, max_attempts=1)
    only(run, "single")
    run.object_fails()
    run.look()
    actor = begin(run, until="tasks.enqueue")
    go_on(run, actor, "late")
    run.late_call(0)
    run.fsync()
    run.world.expire()
    begin(run, 1, until="nothing")
    key = firing_key(SCHEDULER, "task:single", run.objects[0], 1)
    assert run.world.ledger.firings.get(key).state == "launched"
    promises.check(run)


def test_an_emptied_redis_misses_one_transition_at_most(run: Interleaving) -> None:
    only(run, "turning")
    run.object_fails()

    def turn() -> None:
        for _ in range(2):  # on and off again
            run.object_changes(0, 1)
            run.look()
            run.undisturbed(0)

    for _ in range(3):
        turn()
    assert sum(run.server.launched.values()) == 3
    run.restart(2)
    for _ in range(3):
        turn()
    promises.check(run)
    assert sum(run.server.launched.values()) >= 5


def drafts(run: Interleaving) -> list[str]:
    """What was cloned and is a draft still."""
    return [id_ for id_, task in run.server.tasks.items() if task["status"] == "created" and task["system_tags"]]


def test_a_withdrawn_draft_is_cloned_afresh_by_whoever_finds_it_gone(run: Interleaving) -> None:
    only(run, "once")
    run.object_fails()
    run.look()
    begin(run, until="tasks.enqueue").kill()
    run.world.expire()
    begin(run, 1, until="nothing")  # announces
    run.fsync()
    run.world.expire()
    run.world.resume(begin(run, 2, until="tasks.delete"), "killed after")
    run.world.expire()
    begin(run, 1, until="nothing")
    key = firing_key(SCHEDULER, "task:once", run.objects[0], 1)
    assert run.server.launched[key] == 1
    promises.check(run)


def test_an_overtaken_attempt_deletes_its_own_draft(run: Interleaving) -> None:
    only(run, "once")
    run.object_fails()
    run.look()
    frozen = begin(run, until="tasks.clone")
    run.world.expire()
    begin(run, 1, until="nothing")
    run.world.finish(frozen)
    assert drafts(run) == []
    assert sum(run.server.launched.values()) == 1
    promises.check(run)


def test_a_dead_attempts_draft_is_deleted_before_another_is_cloned(run: Interleaving) -> None:
    only(run, "once")
    run.object_fails()
    run.look()
    run.world.resume(begin(run, until="tasks.clone"), "killed after")
    run.world.expire()
    begin(run, 1, until="nothing")
    assert drafts(run) == []
    assert sum(run.server.launched.values()) == 1


def test_a_draft_that_arrives_late_is_cleared_away(run: Interleaving) -> None:
    only(run, "once")
    run.object_fails()
    run.look()
    run.world.resume(begin(run, until="tasks.clone"), "killed, late")
    run.world.expire()
    begin(run, 1, until="nothing")
    run.late_call(0)
    assert len(drafts(run)) == 1
    run.world.expire()
    run.undisturbed(5)  # reconcile
    assert drafts(run) == []
    promises.check(run)


def test_an_owner_that_lost_its_lease_does_not_enqueue(run: Interleaving) -> None:
    """It asks before the call; what it recorded is withdrawn by the next."""
    only(run, "once")
    run.object_fails()
    run.look()
    frozen = begin(run, until="record")
    run.world.resume(frozen)
    run.world.expire()
    begin(run, 1, until="nothing")  # announces
    point = len(run.world.trace)
    run.world.finish(frozen)
    assert not [line for line in run.world.trace[point:] if "tasks.enqueue" in line]
    come_to_rest(run)
