"""`clearml-triggers history`: what was fired, skipped, held, failed, given up, and why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli.options import Choice, Json, OptionalName
from triggers.cli.stopping import until_stopped
from triggers.operate.words import WORDS

if TYPE_CHECKING:
    from triggers.cli.output import Grid
    from triggers.ledger.history.history import HistoryEntry
    from triggers.operate.target import Target

#: Seconds between two looks of --follow.
_LOOK_SECONDS = 0.5


def history(
    name: OptionalName = None,
    object_id: Annotated[str | None, typer.Option("--object", metavar="ID", help="show only this object")] = None,
    what: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(WORDS[:-1])} or {WORDS[-1]} only", autocompletion=lambda: list(WORDS)),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="time, such as 2h, 7d, or 2026-11-22T18:00")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="show at most N entries, newest first")] = 50,
    follow: Annotated[bool, typer.Option("--follow", help="print new entries as they happen, until Ctrl-C")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Show what happened to firings, with reasons, oldest first. Ids are links if the terminal supports them.

    With --json and --follow every line is a JSON object.
    """
    from triggers.base.errors import Usage
    from triggers.base.meant import meant
    from triggers.cli import output
    from triggers.operate.history import Filter, last_id, newest
    from triggers.operate.retry import patient
    from triggers.operate.target import open_target
    from triggers.operate.times import time_ms

    unknown = [one for one in what or () if one not in WORDS]
    if unknown:
        raise Usage(f"--what {unknown[0]!r}: give one of {', '.join(WORDS)}{meant(unknown[0], WORDS)}")
    with open_target(scheduler) as target:

        def look() -> tuple[Filter, str, list[HistoryEntry], int]:
            now_ms = target.ledger.now_ms()
            trigger = target.entry(name, retired=True).trigger.id if name else ""
            since_ms = time_ms(since, now_ms, "--since") if since else 0
            wanted = Filter(trigger, object_id or "", tuple(what or ()), since_ms)
            return wanted, last_id(target), newest(target, wanted, limit), now_ms

        wanted, after, found, now_ms = patient(look, target.renew) if follow else look()
        if as_json and not follow:
            output.print_json([fields(target, entry) for entry in found])
            return
        _print(target, found, now_ms, as_json=as_json, empty=not follow)
        if follow:
            with until_stopped():
                _follow(target, wanted, after, as_json=as_json)


def fields(target: Target, entry: HistoryEntry) -> dict[str, Any]:
    """An entry as JSON has it."""
    from triggers.clearml_api.links import link
    from triggers.operate.history import action_labels
    from triggers.operate.times import iso

    kind, _, name = entry.trigger.partition(":")
    return {
        "at": iso(entry.at_ms),
        "what": entry.what,
        "trigger": name,
        "kind": kind,
        "object": entry.object,
        "object_link": link(target.scheduler, kind, entry.object),
        "firing": entry.firing,
        "action": action_labels(target, [entry]).get(entry.firing, ""),
        "reason": entry.reason,
        "task": entry.task,
        "task_link": link(target.scheduler, "task", entry.task),
    }


def _follow(target: Target, wanted: Any, after: str, *, as_json: bool) -> None:
    from triggers.operate.history import later
    from triggers.operate.retry import patient

    def look() -> tuple[list[HistoryEntry], int]:
        return later(target, after), target.ledger.now_ms()

    while True:
        found, now_ms = patient(look, target.renew)
        after = found[-1].id if found else after
        _print(target, [entry for entry in found if wanted.passes(entry)], now_ms, as_json=as_json, header=False)
        if len(found) < 500:
            time.sleep(_LOOK_SECONDS)


def _print(
    target: Target, found: list[HistoryEntry], now_ms: int, *, as_json: bool, empty: bool = False, header: bool = True
) -> None:
    from triggers.cli import output

    if as_json:
        for entry in found:
            output.print_json_line(fields(target, entry))
    elif found:
        print_entries(target, found, now_ms, header=header)
    elif empty:
        output.note("no matching history entries")


def print_entries(target: Target, found: list[HistoryEntry], now_ms: int, *, header: bool = True) -> None:
    """Print a table of entries."""
    from triggers.cli import output

    output.show(entries_table(target, found, output.width(), now_ms, header=header))


def entries_table(target: Target, found: list[HistoryEntry], width: int, now_ms: int, *, header: bool = True) -> Grid:
    """A table of entries; its widths are fixed, so that the lines of --follow stand below the others."""
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.model.schedule_fields import SCHEDULE
    from triggers.operate import wording
    from triggers.operate.history import action_labels
    from triggers.operate.times import clock

    full = width >= 150
    named = 32 if width >= 110 else 22 if width >= 72 else 12
    columns = [Column("at", least=8), Column("what", least=8), Column("trigger", style="cyan", least=named, most=named)]
    kinds = {entry.trigger.partition(":")[0] for entry in found}
    least = 32 if full else 20 if SCHEDULE in kinds else 8
    columns += [Column(wording.column_of_objects(kinds), least=least), Column("task or reason", grows=True)]
    rows, labels = [], action_labels(target, found)
    for entry in found:
        kind, _, name = entry.trigger.partition(":")
        why = text(entry.task if full else entry.task[:8], "green", link(target.scheduler, "task", entry.task))
        said = ": ".join(filter(None, (labels.get(entry.firing), entry.reason.partition("\n")[0])))
        why.append((" " if entry.task and said else "") + said)
        shown = wording.short_object(kind, entry.object, full=full)
        object_ = text(shown, "", link(target.scheduler, kind, entry.object))
        rows.append([text(clock(entry.at_ms, now_ms)), output.styled(entry.what), text(name), object_, why])
    return output.table(columns, rows, header=header)
