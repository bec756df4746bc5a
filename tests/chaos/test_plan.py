"""Plans: the same seed gives the same plan, with changes of all kinds and a disturbance every second."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

import triggers.testing  # noqa: F401  constructors ask no server then
from tests.chaos import __main__ as chaos
from tests.chaos import changes, script
from tests.chaos.disturbances import FAULTS, Disturber
from tests.chaos.extras import ACTS, LATE, LINE_SECONDS, SLOW
from tests.chaos.person import Person
from tests.chaos.plan import EXTRAS, KINDS, PROCESSES, TO_OTHERS, TO_PROCESSES, Extra, Mode, make_plan
from tests.chaos.report import Recovery, Report
from triggers import TriggerScheduler

MODES: tuple[Mode, ...] = ("fleet", "local")


@pytest.mark.parametrize("mode", MODES)
def test_a_plan_is_the_same_in_every_process(mode: Mode) -> None:
    command = [sys.executable, "-m", "tests.chaos.plan", "7", "30", mode]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert printed == make_plan(7, 30.0, mode).lines()
    assert printed != make_plan(8, 30.0, mode).lines()


@pytest.mark.parametrize("mode", MODES)
def test_a_plan_has_every_kind_of_change_and_a_disturbance_a_second(mode: Mode) -> None:
    plan = make_plan(3, 60.0, mode)
    assert {change.kind for change in plan.changes} == {name for name, kind in KINDS.items() if not kind.extra}
    assert [round(one.at) for one in plan.disturbances] == list(range(1, 60))
    assert {one.target for one in plan.disturbances} <= {"", *PROCESSES[mode]}
    names = [name for _, name in plan.objects()]
    assert len(names) == len(set(names)) > 300


def test_in_twenty_seeds_every_disturbance_comes_and_every_process_is_hit() -> None:
    for mode in MODES:
        found = [one for seed in range(20) for one in make_plan(seed, 60.0, mode).disturbances]
        assert {one.kind for one in found} == {*TO_PROCESSES[mode], *TO_OTHERS}
        assert {one.target for one in found if one.target} == set(PROCESSES[mode])


def test_every_kind_of_change_has_a_trigger_and_someone_who_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(script.BASE, "base")
    monkeypatch.setenv(script.REUSED, "reused")
    monkeypatch.setenv(script.PORT, "8080")
    scheduler = TriggerScheduler()
    script.declare(scheduler)
    declared = {each.trigger.name: each.trigger for each in scheduler.declarations}
    assert set(declared) == set(KINDS)
    for name, kind in KINDS.items():
        assert hasattr(changes.Changes, "_" + name.replace("-", "_"))
        alone = declared[name].policy.single_instance and name != "reused"
        assert alone == kind.alone, name


def test_every_disturbance_has_someone_who_does_it() -> None:
    for kind in {*TO_PROCESSES["fleet"], *TO_PROCESSES["local"], *TO_OTHERS} - FAULTS.keys():
        assert hasattr(Disturber, "_" + kind.replace(" ", "_"))


@pytest.mark.parametrize("mode", MODES)
def test_extras_add_to_a_plan_and_leave_the_rest_as_it_is(mode: Mode) -> None:
    plain, full = make_plan(3, 60.0, mode), make_plan(3, 60.0, mode, extras=EXTRAS)
    assert set(plain.changes) < set(full.changes)
    assert set(plain.disturbances) < set(full.disturbances)
    assert {change.kind for change in full.changes} == set(KINDS)
    assert full.late_seconds
    assert ("promote" in full.extras) == (mode == "fleet")


def test_reads_are_less_late_where_many_launches_wait_in_line_for_them() -> None:
    plans = [make_plan(seed, 60.0, "local", extras=EXTRAS) for seed in range(60)]
    assert {plan.late_seconds for plan in plans} == set(LATE)
    assert all(plan.late_seconds * plan.line <= LINE_SECONDS for plan in plans)


def test_a_report_is_json() -> None:
    report = Report(7, 60.0, "fleet", recoveries=[Recovery("kill poll", 1.0, 2.0)], waited_for=[(3.0, "queued-1")])
    report.disturbances["kill poll"] += 1
    report.calls_hit["api 500"] += 5
    found = json.loads(json.dumps(report.as_json()))
    assert (found["disturbances"], found["calls_hit"]) == ({"kill poll": 1}, {"api 500": 5})
    assert (found["seed"], found["recoveries"][0]["kind"], found["waited_for"]) == (7, "kill poll", [[3.0, "queued-1"]])


def test_in_twenty_seeds_every_extra_comes_and_has_someone_who_does_it() -> None:
    found = {one.kind for seed in range(20) for one in make_plan(seed, 60.0, "fleet", extras=EXTRAS).disturbances}
    assert found == {*TO_PROCESSES["fleet"], *TO_OTHERS, *ACTS, *SLOW, "promote redis"}
    assert set(SLOW) <= set(FAULTS)
    assert all(hasattr(Person, "_" + act.removeprefix("operator ")) for act in ACTS)


@pytest.mark.parametrize(
    ("stepped", "extras"), [(False, ()), (True, ()), (False, EXTRAS), (True, ("late", "own")), (True, EXTRAS)]
)
def test_the_command_of_a_report_makes_the_same_plan(
    monkeypatch: pytest.MonkeyPatch, stepped: bool, extras: Sequence[Extra]
) -> None:
    asked: list[object] = []

    def note(seed: int, seconds: float, mode: Mode, *, stepped: bool, extras: Sequence[Extra]) -> Report:
        asked.append(make_plan(seed, seconds, mode, stepped=stepped, extras=extras))
        return Report(seed, seconds, mode)

    monkeypatch.setattr(chaos, "carry_out", note)
    plan = make_plan(4003, 12.0, "local", stepped=stepped, extras=extras)
    command = Report(plan.seed, plan.seconds, plan.mode, plan.stepped, plan.extras).replay
    assert chaos.main(command.split()[3:]) == 0
    assert asked == [plan]
