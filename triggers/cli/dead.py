"""`clearml-triggers dead`: firings that were given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli import completion, options
from triggers.cli.options import All, Choice, Json, OfTrigger

if TYPE_CHECKING:
    from triggers.ledger.firings.firing import Firing
    from triggers.operate.target import Target

app = typer.Typer(no_args_is_help=True, help="List, retry, or drop dead letters: firings that failed for good.")

Which = Annotated[list[str] | None, options.firings(completion.dead_firings)]


@app.command("list")
def list_(trigger: OfTrigger = None, scheduler: Choice = None, as_json: Json = False) -> None:
    """List dead letters with the reason, oldest first."""
    from triggers.cli import output
    from triggers.operate import selection
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        of = selection.trigger_id(target, trigger)
        found = selection.select(selection.dead(target), (), of, everything=True)
        if as_json:
            output.print_json([fields(target, firing) for firing in found])
            return
        print_firings(target, found, "no dead letters")
        failing = [one for one in target.ledger.retrying.failing() if not of or one.trigger == of]
        if failing:
            several = output.plural(len(failing), "more firing") + (" fails" if len(failing) == 1 else " fail")
            output.note(f"{several} and will be retried: `clearml-triggers failing list`")


@app.command()
def retry(
    which: Which = None,
    trigger: OfTrigger = None,
    everything: All = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Retry dead letters with a full set of attempts; a ClearML task that an earlier attempt left is reused."""
    from triggers.cli import output
    from triggers.operate import selection, waiting
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        of = selection.trigger_id(target, trigger)
        selection.refuse_failing(target, which or ())
        meant = selection.select(selection.dead(target), which or (), of, everything=everything)
        retried = waiting.retry_dead(target, meant)
        if as_json:
            output.print_json({"retried": retried})
        else:
            output.say(f"{output.plural(retried, 'dead letter')} will be tried again")


@app.command()
def drop(
    which: Which = None,
    trigger: OfTrigger = None,
    everything: All = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Drop dead letters for good: they never fire again for that change."""
    from triggers.cli import output
    from triggers.operate import selection, waiting
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        of = selection.trigger_id(target, trigger)
        meant = selection.select(selection.dead(target), which or (), of, everything=everything)
        dropped = waiting.drop_dead(target, meant)
        if as_json:
            output.print_json({"dropped": dropped})
        else:
            output.say(f"{output.plural(dropped, 'dead letter')} dropped")


def fields(target: Target, firing: Firing) -> dict[str, Any]:
    """A firing as JSON has it."""
    from triggers.clearml_api.links import link
    from triggers.operate.selection import part_labels
    from triggers.operate.times import iso

    return {
        "firing": firing.key,
        "action": part_labels(target, [firing])[firing.key],
        "trigger": firing.trigger.partition(":")[2],
        "kind": firing.kind,
        "object": firing.object,
        "object_link": link(target.scheduler, firing.kind, firing.object),
        "state": firing.state,
        "reason": firing.reason,
        "failures": firing.failures,
        "granted": iso(firing.granted_ms),
        "ended": iso(firing.ended_ms),
    }


def print_firings(target: Target, found: list[Firing], empty: str) -> None:
    """A table of firings; `empty` says that there are none."""
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate import wording
    from triggers.operate.selection import SHOWN, part_labels
    from triggers.operate.times import ago

    now_ms, full = target.ledger.now_ms(), output.width() >= 130
    rows, labels = [], part_labels(target, found)
    for firing in found:
        object_ = wording.short_object(firing.kind, firing.object, full=full)
        rows.append(
            [
                text(firing.key[-SHOWN:]),
                text(firing.trigger.partition(":")[2]),
                text(object_, "", link(target.scheduler, firing.kind, firing.object)),
                text(ago(firing.ended_ms or firing.granted_ms, now_ms)),
                text(": ".join(filter(None, (labels[firing.key], firing.reason.partition("\n")[0])))),
            ]
        )
    columns = [
        Column("firing"),
        Column("trigger", style="cyan", most=22),
        Column(wording.column_of_objects(one.kind for one in found)),
    ]
    columns.append(Column("since"))
    output.show_rows([*columns, Column("reason", grows=True)], rows, empty)
