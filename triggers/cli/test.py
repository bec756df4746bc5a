"""`clearml-triggers test`: what would fire, without firing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli.options import Choice, Json, OptionalName

if TYPE_CHECKING:
    from triggers.configuration import Document
    from triggers.ledger.deployment.schedulers import Scheduler
    from triggers.operate.granting import Candidate


def try_out(
    name: OptionalName = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="objects changed since: 2h, 7d, 2026-11-22T18:00")] = "7d",
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="check this file of triggers (YAML), applied or not"),
    ] = None,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Show for which objects a trigger would have fired, without firing: those that changed and match now.

    With -f and no NAME: check a file and its examples, for CI; no server and no Redis are needed. Exit code 1 if
    an example fails, 2 if the file is invalid.
    """
    if file and not name:
        _check_file(file, as_json=as_json)
    elif name:
        _test(name, since, file, scheduler, as_json=as_json)
    else:
        from triggers.base.errors import Usage

        raise Usage("give the name of a trigger, or a file with -f")


def _check_file(file: str, *, as_json: bool) -> None:
    from triggers.cli import output
    from triggers.configuration import arguments_of, check_as_new, examples, load
    from triggers.operate import wording

    document = load(file)
    check_as_new(document)
    held = examples.run(document)
    wrong = [one for one in held if not one.passes]
    if as_json:
        rows = [{"trigger": one.trigger.name, "fires": one.outcome, "passes": one.passes} for one in held]
        output.print_json({"triggers": [arguments_of(one) for one in document.triggers], "examples": rows})
    else:
        columns = [output.Column("trigger", style="cyan"), output.Column("condition", grows=True)]
        columns.append(output.Column("action", grows=True))
        shown = [[output.text(f(one)) for f in (_name, wording.condition, wording.action)] for one in document.triggers]
        output.show_rows(columns, shown, "the file has no triggers")
        for one in wrong:
            output.say(f"{one.trigger.name}: {one.why}")
        output.say(
            f"{output.plural(len(document.triggers), 'trigger')}, {len(held) - len(wrong)} of {len(held)} examples hold"
        )
    raise typer.Exit(1 if wrong else 0)


def _name(trigger: Any) -> str:
    return str(trigger.name)


def _test(name: str, since: str, file: str | None, scheduler: str | None, *, as_json: bool) -> None:
    from triggers.cli import output
    from triggers.configuration import load
    from triggers.ledger.registry.registry import Entry
    from triggers.operate import granting
    from triggers.operate.target import open_target
    from triggers.operate.times import time_ms

    document = load(file) if file else None
    with open_target(scheduler) as target:
        entry = Entry(_named(document, name), 0, 0, "file") if document else target.entry(name)
        now_ms = target.server_now_ms()
        found, looked = granting.find(target, [entry], time_ms(since, now_ms, "--since"))
        if as_json:
            output.print_json({"looked_at": looked, "found": [found_fields(target.scheduler, one) for one in found]})
        else:
            print_found(target.scheduler, found, looked)


def _named(document: Document, name: str) -> Any:
    from triggers.base.errors import Usage
    from triggers.base.meant import meant
    from triggers.base.plural import named, plural

    fitting = [trigger for trigger in document.triggers if name in (trigger.name, trigger.id)]
    if len(fitting) != 1:
        names = named(trigger.id for trigger in document.triggers)
        near = "" if fitting else meant(name, [trigger.name for trigger in document.triggers])
        raise Usage(f"{plural(len(fitting), 'trigger')} of the file are named {name!r}; it has {names}{near}")
    return fitting[0]


def found_fields(scheduler: Scheduler, found: Candidate) -> dict[str, Any]:
    """An object that satisfies a condition, as JSON has it."""
    from triggers.clearml_api.links import link
    from triggers.operate.times import iso

    event = found.event
    return {
        "trigger": found.entry.trigger.name,
        "object": event.id,
        "name": event.name,
        "project": event.project,
        "changed": iso(event.changed_ms),
        "would_fire": found.fires,
        "why_not": found.why_not,
        "link": link(scheduler, event.kind, event.id),
    }


def print_found(scheduler: Scheduler, found: list[Candidate], looked: int) -> None:
    """A table of the objects that satisfy a condition."""
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate.times import clock

    now_ms = int(time.time() * 1000)
    several = len({one.entry.trigger.id for one in found}) > 1
    rows = [
        [
            *([text(one.entry.trigger.name)] if several else []),
            text(clock(one.event.changed_ms, now_ms)),
            text(one.event.id, "", link(scheduler, one.event.kind, one.event.id)),
            text(one.event.name),
            text("would fire", "green") if one.fires else text(one.why_not, "dim"),
        ]
        for one in found
    ]
    columns = [Column("trigger", style="cyan", most=22)] if several else []
    columns += [Column("changed"), Column("object"), Column("name", grows=True), Column("", grows=True)]
    if rows:
        output.show(output.table(columns, rows))
    firing = sum(one.fires for one in found)
    satisfying = output.plural(len(found), "satisfies", "satisfy")
    said = f"{output.plural(looked, 'object')} changed, {satisfying} the condition now, {firing} would fire"
    output.show(text(said))
