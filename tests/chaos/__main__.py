"""Chaos: `python -m tests.chaos [--seed N] [--seconds S] [--mode fleet|local|both|alternate] [--seeds K]
[--clocks] [--slow] [--late] [--operator] [--promote] [--own] [--forget] [--all]`.

Carries out the plans of one or more seeds, one after the other, each in both modes by default; ends with 1
if anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from tests.chaos.plan import EXTRAS, Extra, Mode, make_plan
from tests.chaos.report import Report, times
from tests.chaos.run import Run


def carry_out(
    seed: int, seconds: float, mode: Mode, *, stepped: bool = False, extras: Collection[Extra] = ()
) -> Report:
    """Run one seed; what the processes wrote is kept when it fails."""
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-"))
    run = Run(make_plan(seed, seconds, mode, stepped=stepped, extras=extras), folder)
    try:
        report = run.go()
    finally:
        run.close()
    if report.violations:
        (folder / "plan").write_text("\n".join(run.plan.lines()))
        report.violations.append(f"(what the processes wrote is in {folder})")
    else:
        shutil.rmtree(folder)
    return report


def modes_of(asked: str, turn: int) -> tuple[Mode, ...]:
    """The modes of one seed; `alternate` takes three fleets to each local one, of odd seeds and of even ones."""
    modes: dict[str, tuple[Mode, ...]] = {"fleet": ("fleet",), "local": ("local",), "both": ("fleet", "local")}
    return modes.get(asked) or (modes["local"] if turn % 8 in (3, 6) else modes["fleet"])


def table(reports: list[Report]) -> str:
    """One row for each seed."""
    head = f"{'seed':>10} {'mode':5} {'objects':>7} {'runs':>5} {'disturbed':>9} {'calls hit':>9} {'settled':>8}"
    rows = [f"{head}  next launch"]
    for one in reports:
        hit, disturbed = sum(one.calls_hit.values()), sum(one.disturbances.values())
        row = f"{one.seed:>10} {one.mode:5} {one.objects:7} {one.runs:5} {disturbed:9} {hit:9} "
        row += f"{one.settled_seconds:6.1f} s  "
        rows.append(f"{row}{times(one.recovered())}  {'FAILED' if one.violations else 'passed'}")
    every = [seconds for one in reports for seconds in one.recovered()]
    failed = [str(one.seed) for one in reports if one.violations]
    rows.append(f"{len(reports)} seeds, {len(failed)} failed {' '.join(failed)}; next launch: {times(every)}")
    settled = times([one.settled_seconds for one in reports])
    rows.append(f"all done after the last disturbance: {settled}")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, 0 if every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first one; without it, any")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is disturbed")
    parser.add_argument("--mode", choices=("fleet", "local", "both", "alternate"), default="both")
    parser.add_argument("--clocks", action="store_true", help="step the clocks of processes, Redis and ClearML as well")
    for extra in EXTRAS:
        parser.add_argument(f"--{extra}", action="store_true", help=f"{extra}: as `tests.chaos.extras` says")
    parser.add_argument(
        "--all", action="store_true", help="all of these but --forget, and in every second seed the clocks"
    )
    parser.add_argument("--json", action="store_true", help="print the reports as JSON too")
    asked = parser.parse_args(arguments)
    first = random.randrange(1_000_000) if asked.seed is None else asked.seed
    reports = []
    for seed in range(first, first + asked.seeds):
        for mode in modes_of(asked.mode, seed - first):
            print(f"seed {seed}, {mode} ...", flush=True)
            stepped = asked.clocks or (asked.all and seed % 2 == 1)
            extras = [extra for extra in EXTRAS if getattr(asked, extra) or (asked.all and extra != "forget")]
            reports.append(carry_out(seed, asked.seconds, mode, stepped=stepped, extras=extras))
            print("\n".join(reports[-1].lines()), flush=True)
    if len(reports) > 1:
        print(table(reports))
    if asked.json:
        print(json.dumps([report.as_json() for report in reports]))
    return int(any(report.violations for report in reports))


if __name__ == "__main__":
    sys.exit(main())
