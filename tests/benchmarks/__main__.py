"""Measures this system beside the original: `python -m tests.benchmarks [NAME...] [--runs N] [--json FILE]`.

Each name is a file of this folder. Both sides do the same work against the same server in the same run; bounds
are shown as met or not, and only a measurement that broke makes the exit code 1.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import traceback
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.benchmarks.result import Result, load

MEASURES = (
    "idle", "busy", "requests", "burst", "rate", "latency", "matching", "ledger", "rest", "memory", "start", "listing",
    "answers", "paced", "webhooks", "schedules", "console", "registry", "growth", "objects", "network", "schedulers",
    "fairness",
)  # fmt: skip


def shown(figure: float) -> str:
    """A figure in as many digits as say something."""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def spread(figures: tuple[float, ...]) -> str:
    """The median, and the least and the most of several runs where they differ."""
    least, most = shown(min(figures)), shown(max(figures))
    return shown(median(figures)) + (f" ({least}-{most})" if least != most else "")


def table(results: list[Result]) -> Table:
    """All rows."""
    made = Table("measure", "unit", "original", "here", "ratio", "bound", "", title=load())
    for one in results:
        other = f"{spread(one.original)}{f' [{one.beside}]' if one.beside else ''}" if one.original else "-"
        ratio = "-" if one.ratio is None else shown(one.ratio)
        verdict = {True: "[green]met", False: "[bold red]not met", None: ""}[one.met]
        bound = str(one.bound) if one.bound else "reported"
        what = f"{one.measure}\n[dim]{one.note}" if one.note else one.measure
        made.add_row(what, one.unit, other, spread(one.here), ratio, bound, verdict)
    return made


def main() -> int:
    """Measure what is asked for, all of it by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}; all of them by default")
    parser.add_argument("--runs", type=int, default=3, help="runs of each; medians are shown, with least and most")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    console, results, broken = Console(width=None if sys.stdout.isatty() else 160), list[Result](), list[str]()
    for name in asked.names or MEASURES:
        console.print(f"[dim]{name} ...", highlight=False)
        try:
            results += importlib.import_module(f"tests.benchmarks.{name}").measure(asked.runs)
        except Exception:
            traceback.print_exc()
            broken.append(name)
    console.print(table(results), highlight=False)
    if asked.json:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "load": load()}
        rows = [one.to_json() for one in results]
        asked.json.write_text(json.dumps({"on": machine, "results": rows, "broken": broken}, indent=2) + "\n")
    if broken:
        print(f"broken: {', '.join(broken)}", file=sys.stderr)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
