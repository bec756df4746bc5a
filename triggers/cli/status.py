"""`clearml-triggers status`: stages, queues, rates and firings, once or live."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli.options import Choice, Json
from triggers.cli.stopping import until_stopped

if TYPE_CHECKING:
    from triggers.operate.status import SchedulerStatus
    from triggers.operate.target import Target

#: Seconds between two looks of --watch.
_LOOK_SECONDS = 1.0

_STYLES = {"ok": "green", "idle": "dim", "late": "bold red"}


def status(
    watch: Annotated[bool, typer.Option("--watch", help="refresh once a second until Ctrl-C")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Show the state of each stage, what waits, the rates per minute, and the last firings.

    Exit code 1 if a stage is stuck. With --json and --watch every line is a JSON object.
    """
    from triggers.cli import output
    from triggers.operate.status import read_status
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        if watch:
            with until_stopped():
                _watch(target, as_json=as_json)
        found = read_status(target)
        if as_json:
            output.print_json(fields(found))
        else:
            output.show(*_parts(target, found))
    raise typer.Exit(0 if found.is_well else 1)


def fields(found: SchedulerStatus) -> dict[str, Any]:
    """A status as JSON has it."""
    from triggers.operate.times import iso

    told = asdict(found) | {"now": iso(found.now_ms), "read_to": iso(found.read_to_ms), "is_well": found.is_well}
    if found.api_calls is not None:
        told["api_calls"]["ends"] = found.api_calls.ends.isoformat()
    told["last"] = [{**one, "at": iso(one["at_ms"])} for one in told["last"]]
    return told


def _watch(target: Target, *, as_json: bool) -> None:
    from rich.console import Group
    from rich.live import Live

    from triggers.cli import output
    from triggers.operate.retry import patient
    from triggers.operate.status import read_status

    if as_json:
        while True:
            output.print_json_line(fields(patient(lambda: read_status(target), target.renew)))
            time.sleep(_LOOK_SECONDS)
    with Live(console=output.console(), auto_refresh=False, screen=False) as live:
        while True:
            parts = patient(lambda: _parts(target, read_status(target, last=10)), target.renew)
            live.update(Group(*(output.rendered(part, live.console.width) for part in parts)), refresh=True)
            time.sleep(_LOOK_SECONDS)


def _parts(target: Target, found: SchedulerStatus) -> list[Any]:
    from triggers.cli import output
    from triggers.cli.history import entries_table
    from triggers.cli.output import Column, text
    from triggers.operate.target import title
    from triggers.operate.times import ago, local

    head = text(title(target.scheduler), "bold").append(f"  {local(found.now_ms)}", "not bold dim")
    stages = [
        [text(stage.name, "cyan"), text(stage.state, _STYLES[stage.state]), text(stage.words)] for stage in found.stages
    ]
    rates = ", ".join(f"{what} {rate:.1f}" for what, rate in found.rates.items()) or "nothing"
    states = "".join(f", {n} {word}" for n, word in ((found.paused, "paused"), (found.muted, "muted")) if n)
    held = ", ".join(f"{count} in {hold}" for hold, count in found.holds.items()) or "none"
    rows = [
        ("triggers", text(f"{found.triggers}{states}")),
        ("read up to", text(ago(found.read_to_ms, found.now_ms))),
        ("a minute", text(f"{rates} (over five minutes)")),
        ("held", text(held, "yellow" if found.holds else "")),
        ("failing", text(str(found.failing), "bold yellow" if found.failing else "")),
        ("dead letters", text(str(found.dead), "bold red" if found.dead else "")),
        ("served by", text(found.home or "no script: functions that scripts declare are not called")),
        *_api_calls(found),
        *(("alarm", text(words, "bold red")) for words in found.alarms.values()),
        *((f"worker {name}", text(words, "bold red")) for name, words in found.left_alone.items()),
    ]
    parts: list[Any] = [head, "", output.table([Column("stage"), Column(""), Column("", grows=True)], stages), ""]
    parts.append(output.pairs(rows))
    if found.last:
        parts += ["", entries_table(target, list(found.last), output.width(), found.now_ms)]
    return parts


def _api_calls(found: SchedulerStatus) -> list[tuple[str, Any]]:
    """Calls to the ClearML API; in red where the month's limit will not do, or the server wants a pause."""
    from triggers.cli.output import text
    from triggers.operate.api_budget import line

    budget = found.api_calls
    if budget is None or not budget.made:
        return []
    return [("API calls", text(line(budget), "bold red" if budget.is_short else ""))]
