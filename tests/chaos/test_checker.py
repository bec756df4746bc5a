"""The checker objects to what is wrong, and to nothing else: facts of a run in which all is well, then doctored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.checker import missing, violations
from tests.chaos.facts import Facts
from tests.chaos.plan import KINDS, Change, Clocks, Plan
from tests.chaos.receiver import SENT, Delivery, end_of

CHANGES = (
    Change(1.0, "failed", ("failed-0",)),
    Change(1.0, "queued", ("queued-0", "queued-1")),
    Change(1.0, "skipped", ("skipped-0", "skipped-1")),
    Change(1.0, "transition", ("transition-0",)),
    Change(1.0, "called", ("called-0",)),
    Change(1.0, "reused", ("reused-0",)),
    Change(1.0, "quiet", ("quiet-0",)),
    Change(1.0, "told", ("told-0", "told-1")),
)
PLAN = Plan(1, 10.0, "fleet", Clocks(0, (), {}), 0, CHANGES, ())
LIFE = ("created", "queued", "in_progress", "completed")


def well() -> Facts:
    """Every object has run as often as was promised, one launch after the other."""
    ran = ["failed-0", "queued-0", "queued-1", "skipped-0", *["transition-0"] * KINDS["transition"].rounds]
    launches = {f"launch {n}": (name.rpartition("-")[0], name) for n, name in enumerate(ran)}
    return Facts(
        names={"id of called-0": "called-0"},
        launches=launches,
        reused="reused task",
        starts=[*launches, *["reused task"] * KINDS["reused"].rounds],
        statuses=[(task, status) for task in launches for status in LIFE],
        calls=["id of called-0"],
        deliveries=[Delivery(what, f"told-{n}", f"key{n}{end_of(what)}", True) for n in range(2) for what in SENT],
    )


def launch_of(facts: Facts, name: str) -> str:
    return next(task for task, (_, source) in facts.launches.items() if source == name)


def doubled_start(facts: Facts) -> Facts:
    return replace(facts, starts=[*facts.starts, launch_of(facts, "failed-0")])


def second_launch(facts: Facts) -> Facts:
    more = facts.launches | {"another": ("failed", "failed-0")}
    return replace(facts, launches=more, starts=[*facts.starts, "another"])


def missing_start(facts: Facts) -> Facts:
    return replace(facts, starts=[task for task in facts.starts if task != launch_of(facts, "failed-0")])


def missing_transition(facts: Facts) -> Facts:
    starts = list(facts.starts)
    starts.remove(launch_of(facts, "transition-0"))
    return replace(facts, starts=starts)


def missing_call(facts: Facts) -> Facts:
    return replace(facts, calls=[])


def missing_run_of_the_reused_task(facts: Facts) -> Facts:
    return replace(facts, starts=facts.starts[:-1])


def one_run_too_many_of_the_reused_task(facts: Facts) -> Facts:
    return replace(facts, starts=[*facts.starts, "reused task"])


def all_skipped(facts: Facts) -> Facts:
    return replace(facts, starts=[task for task in facts.starts if task != launch_of(facts, "skipped-0")])


def run_for_nothing(facts: Facts) -> Facts:
    return replace(facts, launches=facts.launches | {"x": ("quiet", "quiet-0")}, starts=[*facts.starts, "x"])


def run_of_another_trigger(facts: Facts) -> Facts:
    return replace(facts, launches=facts.launches | {"x": ("tagged", "failed-0")}, starts=[*facts.starts, "x"])


def overlap(facts: Facts) -> Facts:
    """The second one is queued before the first one has ended."""
    first, second = launch_of(facts, "queued-0"), launch_of(facts, "queued-1")
    statuses = [(task, status) for task, status in facts.statuses if task not in (first, second)]
    mixed = [(first, "queued"), (first, "in_progress"), (second, "queued"), (first, "completed")]
    return replace(facts, statuses=[*statuses, *mixed, (second, "in_progress"), (second, "completed")])


def second_enqueue(facts: Facts) -> Facts:
    return replace(facts, statuses=[*facts.statuses, (launch_of(facts, "failed-0"), "queued")])


def lost_webhook(facts: Facts) -> Facts:
    first = next(one for one in facts.deliveries if one.what == "second")
    heard_nothing = replace(first, answered=False)
    return replace(facts, deliveries=[heard_nothing if one is first else one for one in facts.deliveries])


def second_id(facts: Facts) -> Facts:
    return replace(facts, deliveries=[*facts.deliveries, Delivery("alarm", "told-0", "key0-f0-f0", True)])


def shared_id(facts: Facts) -> Facts:
    kept = [one for one in facts.deliveries if (one.what, one.object) != ("second", "told-0")]
    return replace(facts, deliveries=[*kept, Delivery("second", "told-0", "key0-2", True)])


DOCTORED = (
    (lost_webhook, ["told-0: 0 runs where at least 1 were promised"]),
    (
        second_id,
        [
            "told-0: alarm arrived under 2 ids: key0-f0, key0-f0-f0",
            "told-0: its actions are of 2 firings: key0, key0-f0",
        ],
    ),
    (
        shared_id,
        [
            "key0-2 is the id of told-0 of refused and told-0 of second",
            "told-0: its actions are of 2 firings: key0, key0-2",
        ],
    ),
    (doubled_start, "failed-0: 2 runs where exactly 1 were promised"),
    (second_launch, "failed-0: 2 runs where exactly 1 were promised"),
    (missing_start, "failed-0: 0 runs where exactly 1 were promised"),
    (missing_transition, "transition-0: 2 runs where exactly 3 were promised"),
    (missing_call, "called-0: 0 runs where at least 1 were promised"),
    (missing_run_of_the_reused_task, "reused-0: 3 runs where exactly 4 were promised"),
    (one_run_too_many_of_the_reused_task, "reused-0: 5 runs where exactly 4 were promised"),
    (all_skipped, "skipped: no object ran at all"),
    (run_for_nothing, "quiet-0: 1 runs where none were promised"),
    (run_of_another_trigger, "1 runs of trigger 'tagged' for failed-0, which nothing in the plan calls for"),
    (overlap, "queued: queued-0 and queued-1 queued or running at the same time"),
    (second_enqueue, "failed-0: its launch launch 0 was enqueued 2 times"),
)


def test_a_run_in_which_all_is_well_has_no_violations() -> None:
    assert violations(PLAN, well()) == []
    assert missing(PLAN, well()) == []


@pytest.mark.parametrize(("doctor", "says"), DOCTORED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_doctored_run_is_objected_to(doctor: Callable[[Facts], Facts], says: str | list[str]) -> None:
    assert violations(PLAN, doctor(well())) == ([says] if isinstance(says, str) else says)


def test_webhooks_that_arrive_again_under_their_ids_are_as_promised() -> None:
    facts = well()
    again = [replace(one, answered=False) for one in facts.deliveries]
    assert violations(PLAN, replace(facts, deliveries=[*again, *facts.deliveries])) == []


def test_more_calls_of_a_function_and_fewer_runs_of_a_skipping_trigger_are_as_promised() -> None:
    facts = well()
    assert violations(PLAN, replace(facts, calls=facts.calls * 3)) == []


def test_a_deleted_launch_keeps_nobody_out() -> None:
    facts = well()
    first, second = launch_of(facts, "queued-0"), launch_of(facts, "queued-1")
    statuses: list[tuple[str, str | None]] = [(first, "queued"), (first, None), (second, "queued")]
    assert violations(PLAN, replace(facts, statuses=statuses)) == []


def test_what_is_still_missing_is_named() -> None:
    facts = well()
    gone = {launch_of(facts, "failed-0"), launch_of(facts, "skipped-0")}
    left = replace(facts, starts=[task for task in facts.starts if task not in gone], calls=[])
    assert missing(PLAN, left) == ["failed-0", "called-0"]
