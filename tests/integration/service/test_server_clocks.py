"""Clocks of the ClearML server are wrong: `Date` is not of the clock that stamps changes, or that one is set back."""

from __future__ import annotations

import json

import pytest

from tests.integration.service.conftest import ServiceWorld
from triggers.base.errors import ServerUnavailable
from triggers.clearml_api import server_now_ms
from triggers.operate.changes import resume
from triggers.operate.doctor.clearml_server import look
from triggers.operate.target import Target
from triggers.stages.server_clock import CLOCK_ALARM
from triggers.stages.sync import sync
from triggers.sync import clocks
from triggers.sync.clocks import DATE_ALARM

HOUR = 3600


def compare(world: ServiceWorld) -> None:
    """Renew the lease, by which the clocks are compared."""
    assert sync(world.ctx, world.scheduler, force=True) is not None


def launched(world: ServiceWorld, polls: int = 1) -> int:
    for _ in range(polls):
        world.step()
    return len(world.runs())


@pytest.fixture
def world(service_world: ServiceWorld) -> ServiceWorld:
    return service_world


@pytest.mark.parametrize("ahead", [60, 1200, HOUR, 10 * HOUR])
def test_a_date_ahead_delays_no_change(world: ServiceWorld, ahead: int) -> None:
    """What changes while `Date` is ahead is read by the next poll; what was passed by before it was known, too."""
    world.declare(world.trigger())
    world.step()
    world.sandbox.control.clock(date_offset_seconds=ahead)
    world.step()
    world.fail_task()
    world.step()
    compare(world)
    compare(world)
    assert launched(world, polls=2) == 1, "read again once the clocks were compared"
    for count in range(2, 5):
        world.fail_task()
        assert launched(world) == count
    assert DATE_ALARM in world.ledger.history.alarms()


@pytest.mark.parametrize("ahead", [-60, -HOUR])
def test_a_date_behind_widens_no_window(world: ServiceWorld, ahead: int) -> None:
    world.declare(world.trigger())
    world.sandbox.control.clock(date_offset_seconds=ahead)
    for _ in range(2):
        compare(world)
    for count in range(1, 4):
        world.fail_task()
        assert launched(world) == count
    world.step()
    behind = server_now_ms(world.api, world.service) - world.ledger.reading.cursor("tasks").read_to_ms
    assert behind < 10_000, "the cursor follows the clock that stamps changes"
    alarms = world.ledger.history.alarms()
    assert DATE_ALARM in alarms
    assert "behind" in alarms[DATE_ALARM]["text"]


def test_clocks_that_agree_again_end_the_alarm(world: ServiceWorld) -> None:
    world.declare(world.trigger())
    world.sandbox.control.clock(date_offset_seconds=1200)
    compare(world)
    world.step()
    assert DATE_ALARM in world.ledger.history.alarms()
    assert any(one.about == "server clocks" for one in look(target_of(world)))
    world.sandbox.control.clock(date_offset_seconds=0)
    world.step()
    compare(world)
    world.fail_task()
    assert launched(world, polls=2) == 1
    assert world.ledger.history.alarms() == {}
    assert not any(one.about == "server clocks" for one in look(target_of(world)))


def test_a_single_small_difference_is_doubted(world: ServiceWorld) -> None:
    """A read that shows the service task as it was twenty seconds ago looks like one."""
    world.declare(world.trigger())
    world.sandbox.control.clock(date_offset_seconds=20)
    compare(world)
    assert DATE_ALARM not in world.ledger.history.alarms()
    compare(world)
    assert DATE_ALARM in world.ledger.history.alarms()


def test_reads_that_lag_are_no_difference_of_clocks(world: ServiceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a read shows the write before, however long ago that was: no alarm, and polls read by the same clock."""
    monkeypatch.setattr(clocks, "SHOWS_SECONDS", 0.0)
    world.declare(world.trigger())
    compare(world)
    world.sandbox.control.late(600)
    for seconds in (20, 20, 90):
        ahead = world.sandbox.control.clock()["offset_seconds"]
        world.sandbox.control.clock(offset_seconds=ahead + seconds)
        compare(world)
        assert world.ledger.reading.stamps_ms() == 0
    assert DATE_ALARM not in world.ledger.history.alarms()


def test_a_difference_is_measured_by_a_read_that_shows_the_write(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "PAUSE_SECONDS", 0.05)
    world.declare(world.trigger())
    compare(world)
    world.sandbox.control.late(0.5)
    world.sandbox.control.clock(date_offset_seconds=HOUR)
    compare(world)
    compare(world)
    assert abs(world.ledger.reading.stamps_ms() + 1000 * HOUR) < 10_000
    assert DATE_ALARM in world.ledger.history.alarms()


def test_a_clock_set_back_an_hour(world: ServiceWorld) -> None:
    """Triggers declared before it, skips and what was seen stay right; the alarm ends when that time comes again."""
    control, old = world.sandbox.control, world.trigger()
    control.clock(offset_seconds=HOUR)
    world.fail_task(name="before the registration")
    world.tick()
    ahead = control.clock()["offset_seconds"]
    world.declare(old)
    first = world.fail_task()
    assert launched(world) == 1
    control.clock(offset_seconds=ahead - HOUR)
    world.fail_task()
    assert launched(world, polls=2) == 2, "what changed before and after it was noticed; nothing of before"
    assert CLOCK_ALARM in world.ledger.history.alarms()
    world.call("tasks.reset", task=first, force=True)
    for count in range(3, 5):
        world.tick()
        world.fail_task()
        assert launched(world) == count
    control.clock(offset_seconds=ahead + 60)
    assert launched(world, polls=2) == 4
    assert CLOCK_ALARM not in world.ledger.history.alarms()
    world.fail_task()
    assert launched(world) == 5


def test_a_stamping_clock_set_back_alone_that_only_a_later_comparison_shows(world: ServiceWorld) -> None:
    """At rest the clocks are compared every few minutes: what changed since the step counts all the same."""
    control = world.sandbox.control
    control.clock(offset_seconds=HOUR)
    world.fail_task(name="before the registration")
    world.tick()
    world.declare(world.trigger())
    world.step()
    compare(world)
    control.clock(offset_seconds=0, date_offset_seconds=HOUR)
    world.fail_task()
    world.tick()
    control.clock(offset_seconds=200, date_offset_seconds=HOUR)
    world.ledger.store.client.hincrby(world.ledger.keys.epoch, "stamps_compared_ms", -300_000)
    assert launched(world) == 0, "polls read by Date, which says nothing of it"
    compare(world)
    assert launched(world, polls=2) == 1


def test_a_clock_set_back_by_about_as_long_as_a_trigger_is_registered(world: ServiceWorld) -> None:
    """The times at which triggers were declared, and objects fired, come again within seconds."""
    control = world.sandbox.control
    control.clock(offset_seconds=HOUR)
    world.declare(world.trigger(), world.trigger(name="turning", policy={"fire": "on_transition"}))
    task = world.fail_task()
    assert launched(world) == 2
    control.clock(offset_seconds=HOUR - 20)
    assert launched(world, polls=2) == 2
    world.call("tasks.reset", task=task, force=True)
    world.step()
    world.tick()
    world.call("tasks.started", task=task)
    world.call("tasks.failed", task=task)
    world.fail_task()
    assert launched(world) == 5, "the turned one again, and the new one for both"


def test_a_trigger_declared_before_the_first_poll_and_the_step(world: ServiceWorld) -> None:
    world.sandbox.control.clock(offset_seconds=HOUR)
    world.fail_task()
    world.tick()
    world.declare(world.trigger())
    world.sandbox.control.clock(offset_seconds=0)
    world.fail_task()
    assert launched(world, polls=2) == 1


def test_a_trigger_declared_after_the_step_fires_for_nothing_of_before(world: ServiceWorld) -> None:
    world.sandbox.control.clock(offset_seconds=HOUR)
    world.declare(world.trigger(name="first", trigger_name="^one$"))
    world.fail_task(name="two")
    world.step()
    world.sandbox.control.clock(offset_seconds=0)
    world.step()
    world.step()
    world.declare(world.trigger(name="first", trigger_name="^one$"), world.trigger(name="later", trigger_name="^two$"))
    assert launched(world, polls=2) == 0
    world.fail_task(name="two")
    assert launched(world) == 1


def test_what_was_skipped_before_the_step_stays_skipped(world: ServiceWorld) -> None:
    control, trigger = world.sandbox.control, world.trigger()
    control.clock(offset_seconds=HOUR)
    world.declare(trigger)
    world.pause(trigger)
    world.fail_task()
    world.step()
    world.tick()
    ahead = control.clock()["offset_seconds"]
    resume(target_of(world), list(world.ledger.registry.snapshot().active), skip_missed=True)
    control.clock(offset_seconds=ahead - HOUR)
    assert launched(world, polls=3) == 0
    world.fail_task()
    assert launched(world) == 1


def test_what_is_skipped_after_the_step_is_skipped(world: ServiceWorld) -> None:
    control, trigger = world.sandbox.control, world.trigger()
    control.clock(offset_seconds=HOUR)
    world.declare(trigger)
    world.step()
    control.clock(offset_seconds=0)
    world.step()
    world.step()
    world.pause(trigger)
    world.fail_task()
    world.step()
    world.tick()
    resume(target_of(world), list(world.ledger.registry.snapshot().active), skip_missed=True)
    assert launched(world, polls=3) == 0
    world.fail_task()
    assert launched(world) == 1


@pytest.mark.parametrize("fire", ["on_transition", "while_true"])
def test_objects_that_fired_before_the_step_fire_again(world: ServiceWorld, fire: str) -> None:
    control = world.sandbox.control
    control.clock(offset_seconds=HOUR)
    world.declare(world.trigger(policy={"fire": fire, "cooldown_minutes": 0}))
    task = world.fail_task()
    assert launched(world) == 1
    control.clock(offset_seconds=0)
    world.step()
    for count in range(2, 5):
        world.call("tasks.reset", task=task, force=True)
        world.step()
        world.tick()
        world.call("tasks.started", task=task)
        world.call("tasks.failed", task=task)
        world.tick()
        assert launched(world) == count


def test_a_cooldown_counts_anew_from_the_step(world: ServiceWorld) -> None:
    control = world.sandbox.control
    control.clock(offset_seconds=HOUR)
    world.declare(world.trigger(policy={"fire": "while_true", "cooldown_minutes": 10}))
    task = world.fail_task()
    assert launched(world) == 1
    for minutes, count in [(0, 1), (9, 1), (11, 2), (20, 2), (22, 3)]:
        control.clock(offset_seconds=60 * minutes)
        world.call("tasks.update", task=task, comment=f"after {minutes} minutes")
        world.step()
        world.tick()
        assert launched(world) == count, minutes


def test_a_clock_set_back_while_nobody_polls(world: ServiceWorld) -> None:
    """By the next poll the clock has passed the cursor again, two hours later; what changed meanwhile counts."""
    control, client, keys = world.sandbox.control, world.ledger.store.client, world.ledger.keys
    world.declare(world.trigger())
    control.clock(offset_seconds=HOUR)
    world.step()
    control.clock(offset_seconds=60)
    world.fail_task()
    control.clock(offset_seconds=2 * HOUR)
    client.hincrby(keys.cursor("tasks"), "polled_ms", -2 * HOUR * 1000)
    assert launched(world, polls=2) == 1


def unread(world: ServiceWorld, seconds: int, source: str = "tasks") -> None:
    """Let time pass in which nothing of a source is read."""
    world.ledger.store.client.hincrby(world.ledger.keys.cursor(source), "polled_ms", -seconds * 1000)
    world.sandbox.control.clock(offset_seconds=world.sandbox.control.clock()["offset_seconds"] + seconds)


@pytest.mark.parametrize("endpoint", ["tasks.ping", "tasks.get_all"])
@pytest.mark.parametrize("failures", [1, 2])
def test_polls_that_fail_after_the_step_lose_nothing(world: ServiceWorld, endpoint: str, failures: int) -> None:
    """How long nothing was read before the step was seen is known until the triggers' times are corrected."""
    control = world.sandbox.control
    control.clock(offset_seconds=2 * HOUR)
    world.declare(world.trigger())
    world.step()
    control.clock(offset_seconds=0)
    world.fail_task()
    unread(world, 600)
    control.fault("error", endpoint, times=4 * failures)
    for _ in range(failures):
        with pytest.raises(ServerUnavailable):
            world.step()
    assert launched(world, polls=2) == 1


def test_the_time_after_a_step_is_asked_for_more_than_once(world: ServiceWorld) -> None:
    world.sandbox.control.clock(offset_seconds=HOUR)
    world.declare(world.trigger())
    world.step()
    world.sandbox.control.clock(offset_seconds=0)
    world.fail_task()
    world.sandbox.control.fault("error", "tasks.ping", times=3)
    assert launched(world, polls=2) == 1


def test_a_source_that_cannot_be_read_while_another_can_loses_nothing(world: ServiceWorld) -> None:
    control = world.sandbox.control
    control.clock(offset_seconds=2 * HOUR)
    world.declare(world.trigger(), world.trigger("model", "published", trigger_on_publish=True))
    world.step()
    control.clock(offset_seconds=0)
    world.fail_task()
    unread(world, 600)
    world.ledger.store.client.hincrby(world.ledger.keys.epoch, "polled_ms", -600_000)
    control.fault("error", "tasks.get_all_ex", times=2)
    for _ in range(2):
        with pytest.raises(ServerUnavailable):
            world.step()
    assert launched(world, polls=2) == 1


@pytest.mark.parametrize("again", [20, 600, 2 * HOUR])
def test_a_clock_set_back_a_second_time(world: ServiceWorld, again: int) -> None:
    """What changed since the last poll before the second step is stamped before the registration, and is new."""
    control, other = world.sandbox.control, world.trigger(name="other", trigger_name="^other$")
    control.clock(offset_seconds=4 * HOUR)
    world.fail_task(name="before the registration")
    world.tick()
    world.declare(world.trigger(trigger_name="^(?!other)"), other)
    world.step()
    control.clock(offset_seconds=3 * HOUR)
    world.fail_task()
    assert launched(world, polls=2) == 1
    world.fail_task()
    world.tick()
    control.clock(offset_seconds=3 * HOUR - again)
    world.fail_task()
    assert launched(world, polls=2) == 3
    world.step()
    assert launched(world, polls=2) == 3, "nothing of before the registration"


@pytest.mark.parametrize("fire", ["on_transition", "while_true"])
@pytest.mark.parametrize("then", [-2 * HOUR, -20, HOUR, 4 * HOUR])
@pytest.mark.parametrize("failures", [0, 1])
def test_what_changed_just_before_the_clock_was_set_again(
    world: ServiceWorld, fire: str, then: int, failures: int
) -> None:
    """An object fired at a time to come; what it does after that is newer, whichever clock stamps and reads it."""
    control = world.sandbox.control
    control.clock(offset_seconds=2 * HOUR)
    world.declare(world.trigger(policy={"fire": fire, "cooldown_minutes": 0}))
    task = world.fail_task()
    assert launched(world) == 1
    control.clock(offset_seconds=0)
    world.call("tasks.reset", task=task, force=True)
    assert launched(world, polls=2) == 1
    world.tick()
    world.call("tasks.started", task=task)
    world.call("tasks.failed", task=task)
    control.clock(offset_seconds=then)
    control.fault("error", "tasks.get_all_ex", times=failures)
    for _ in range(failures):
        with pytest.raises(ServerUnavailable):
            world.step()
    assert launched(world, polls=3) == 2
    world.call("tasks.reset", task=task, force=True)
    assert launched(world, polls=2) == 2
    world.tick()
    world.call("tasks.started", task=task)
    world.call("tasks.failed", task=task)
    assert launched(world, polls=2) == 3


@pytest.mark.parametrize("idle", [10, 60, 600])
def test_a_time_at_which_an_object_fired_comes_again_between_two_polls(world: ServiceWorld, idle: int) -> None:
    """What it does before that time is newer all the same; a late read of what it did before it fired is not."""
    control = world.sandbox.control
    control.clock(offset_seconds=45)
    world.declare(world.trigger(policy={"fire": "while_true", "cooldown_minutes": 0}))
    task = world.fail_task()
    assert launched(world) == 1
    control.clock(offset_seconds=0)
    assert launched(world, polls=2) == 1
    world.call("tasks.update", task=task, comment="changed")
    unread(world, idle)
    assert launched(world, polls=2) == 2
    world.tick()
    world.call("tasks.update", task=task, comment="changed again")
    assert launched(world, polls=2) == 3


def test_a_clock_set_back_while_nobody_polls_past_the_registration(world: ServiceWorld) -> None:
    """By the next poll the clock has passed the time of the registration again, but not where the change was made."""
    control = world.sandbox.control
    world.declare(world.trigger())
    world.step()
    control.clock(offset_seconds=-300)
    world.fail_task()
    unread(world, 600)
    assert launched(world, polls=2) == 1
    world.fail_task()
    assert launched(world, polls=2) == 2


def test_own_launches_after_the_step(world: ServiceWorld) -> None:
    """A trigger whose launches satisfy its condition does not fire on them."""
    control = world.sandbox.control
    control.clock(offset_seconds=HOUR)
    world.declare(world.trigger(trigger_on_status=["queued"]))
    first = world.create_task()
    world.call("tasks.enqueue", task=first, queue_name="default")
    assert launched(world, polls=3) == 1
    control.clock(offset_seconds=0)
    assert launched(world, polls=3) == 1
    second = world.create_task()
    world.call("tasks.enqueue", task=second, queue_name="default")
    assert launched(world, polls=4) == 2


def target_of(world: ServiceWorld) -> Target:
    target = Target(world.scheduler, world.ledger, world.settings, True, "here")
    vars(target)["api"] = world.api
    return target


def test_a_registry_entry_from_before_is_read() -> None:
    from triggers.ledger.registry.registry import Entry
    from triggers.model import make_trigger

    action = {"type": "task", "base_task_id": "b" * 32, "queue": "default"}
    entry = Entry(make_trigger("task", name="t", action=action), 5, 1, "script")
    assert "ahead_ms" not in json.loads(entry.to_json())
    back = entry.set_back(2, 7, 1)
    assert Entry.from_json(entry.trigger.id, back.to_json()) == back
