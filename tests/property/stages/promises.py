"""The promises, as checks on a world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.property.stages.interleaving import Interleaving
from tests.property.stages.world import SCHEDULER
from triggers import ledger as ledger_package
from triggers.ledger.firings.firing import DIGEST_LENGTH, firing_key, trigger_digest
from triggers.ledger.firings.lines import LINED
from triggers.model.action import LANES
from triggers.model.launch_tags import FIRING, value_of
from triggers.model.parts import part_of
from triggers.rules.recovery import RUNNING

#: The clock by which the scripts decide what is due.
CLOCK = (Path(ledger_package.__file__).parent / "scripts" / "clock.lua").read_text()
#: How long a script may take in an example, ms.
CALL_MS = 2_000

#: On which list a firing is in each of its states; in the others on none.
PLACES = {"waiting": "due", "held": "held", "dead": "dead"}


def nothing_is_launched_twice(run: Interleaving) -> None:
    """One accepted enqueue a firing and one a ClearML task, no more firings than there were occurrences."""
    server = run.server
    assert set(server.launched.values()) <= {1}, dict(server.launched)
    assert set(server.enqueued.values()) <= {1}, dict(server.enqueued)
    for made in run.objects:
        keys = [firing_key(SCHEDULER, "task:turning", made, number) for number in range(1, 12)]
        launched = [key for key in keys if server.launched[key]]
        assert len(launched) <= run.rises.get(made, 0), f"{made} turned {run.rises.get(made, 0)} times: {launched}"


def nothing_of_others_is_deleted(run: Interleaving) -> None:
    """Neither copies made by hand nor anything that was launched."""
    deleted = set(run.server.deleted)
    assert not run.server.copies & deleted
    assert not set(run.server.enqueued) & deleted


def a_slot_has_one_live_holder(run: Interleaving) -> None:
    """At most one ClearML task of a single_instance trigger is queued or running."""
    digest = trigger_digest(SCHEDULER, "task:single")
    live = [
        task["id"]
        for task in run.server.tasks.values()
        if task["status"] in RUNNING and value_of(FIRING, task["system_tags"]).startswith(digest)
    ]
    assert len(live) <= 1, live


def no_granted_firing_is_lost(run: Interleaving) -> None:
    """Every firing is due (leases count), held or a dead letter, and only one of them, or it has ended."""
    client, keys = run.world.client, run.world.ledger.keys
    names: Any = client.keys(keys.firing("*"))
    holds: Any = sorted(client.smembers(keys.holds))
    with client.pipeline(transaction=False) as pipe:
        for lane in LANES:
            pipe.zrange(keys.due(lane), 0, -1)
        pipe.zrange(keys.dead, 0, -1)
        for hold in holds:
            pipe.zrange(keys.held(hold), 0, -1)
        for name in names:
            pipe.hmget(name, "key", "state", "task", "attempts")
        answers = pipe.execute()
    due = [key for of_one in answers[: len(LANES)] for key in of_one]
    dead, *rest = answers[len(LANES) :]
    held = [key for of_one in rest[: len(holds)] for key in of_one]
    for key, state, task, attempts in rest[len(holds) :]:
        run.world.seen["attempts at a firing", min(4, len((attempts or "").split()))] += 1
        found = ["due"] * due.count(key) + ["held"] * held.count(key) + ["dead"] * dead.count(key)
        assert found == [PLACES[state]] * (state in PLACES) if state in PLACES else not found, (key, state, found)
        if state == "launched" and not part_of(key):
            assert run.server.enqueued[task] == 1, f"{key} says that {task} was launched"


def what_can_be_taken_stands_in_a_line(run: Interleaving) -> None:
    """What a list says to stand in a line does, whatever other scripts did to it since."""
    client, keys = run.world.client, run.world.ledger.keys
    for lane in LANES:
        lined = {key: int(score) for key, score in client.zrangebyscore(keys.due(lane), "-inf", "(0", withscores=True)}
        stand = {(one[38:], int(one[8:23]) - LINED) for one in client.zrange(keys.lines(lane), 0, -1)}
        assert lined.items() <= stand, f"{lined.items() - stand} of {lane} are in no line"


def every_unfinished_firing_is_due_soon(run: Interleaving) -> None:
    """Whatever clocks were set, no firing waits for longer than a lease, or its pause between two attempts."""
    ledger, settings = run.world.ledger, run.world.settings
    now_ms = int(run.world.client.eval(f"{CLOCK}\nreturn string.format('%d', now_ms())", 1, ledger.keys.epoch))
    due: Any = run.world.client.zrange(ledger.keys.due("dispatch"), 0, -1, withscores=True)
    for key, at_ms in due:
        pause = settings.retry_cap_seconds * 1000 + 1 if key in run.world.pauses else 0
        most = max(settings.lease_seconds, pause) * 1000 + CALL_MS
        assert at_ms - now_ms <= most, f"{key} is due only in {(at_ms - now_ms) / 1000:.0f} s"


def the_history_is_consistent(run: Interleaving) -> None:
    """A firing is launched once at most, and only after it was granted."""
    granted: dict[str, str] = {}
    for entry in run.world.ledger.history.read():
        if entry.what == "launched":
            assert granted.get(entry.firing) == "granted", f"{entry.firing} launched after {granted.get(entry.firing)}"
        if entry.what in ("granted", "launched", "skipped", "dead"):
            granted[entry.firing] = entry.what


def no_slot_is_leaked(run: Interleaving) -> None:
    """What holds a slot without a ClearML task is a firing that has not ended."""
    for slot, (key, task) in run.world.ledger.by_hand.slots().items():
        firing = run.world.ledger.firings.get(key)
        assert task or (firing is not None and firing.state in ("waiting", "held")), f"{slot} leaked by {key}"


def no_own_launch_is_granted(run: Interleaving) -> None:
    """No trigger fires on what it launched itself; people's copies are not launches."""
    for entry in run.world.ledger.history.read():
        task = run.server.tasks.get(entry.object)
        if entry.what == "granted" and task is not None and entry.object not in run.server.copies:
            launched_by = value_of(FIRING, task["system_tags"])[:DIGEST_LENGTH]
            assert launched_by != trigger_digest(SCHEDULER, entry.trigger), f"{entry.trigger} fires on its own launch"


def a_confirmed_pause_holds(run: Interleaving) -> None:
    """What a dispatcher took after the pause is not launched: its token is later than all that there were then."""
    for key, attempt in run.server.launches[run.looked_at :]:
        paused_at = run.paused.get(key[:DIGEST_LENGTH])
        late = paused_at is not None and int(attempt.partition("-")[0]) > paused_at
        assert not late, f"{key} was launched by {attempt}, and paused at {paused_at}"
    run.looked_at = len(run.server.launches)


def missing(run: Interleaving) -> list[tuple[str, str]]:
    """Launches that are promised and have not happened, by trigger and object."""
    return [
        (name, made)
        for made in run.objects
        for name in {trigger.name for trigger in run.triggers} & {"once", "single"}
        if not run.server.launched[firing_key(SCHEDULER, f"task:{name}", made, 1)]
    ]


def check(run: Interleaving) -> None:
    """All that holds at every moment."""
    no_slot_is_leaked(run)
    a_confirmed_pause_holds(run)
    no_own_launch_is_granted(run)
    nothing_is_launched_twice(run)
    nothing_of_others_is_deleted(run)
    a_slot_has_one_live_holder(run)
    no_granted_firing_is_lost(run)
    what_can_be_taken_stands_in_a_line(run)
    every_unfinished_firing_is_due_soon(run)
