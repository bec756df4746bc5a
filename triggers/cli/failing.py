"""`clearml-triggers failing`: firings that failed and are tried again by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli import completion, options
from triggers.cli.options import All, Choice, Json, OfTrigger

if TYPE_CHECKING:
    from triggers.ledger.firings.retrying import Failing
    from triggers.operate.target import Target

app = typer.Typer(no_args_is_help=True, help="List failing firings, which retry by themselves, or retry them now.")

Which = Annotated[list[str] | None, options.firings(completion.failing_firings)]


@app.command("list")
def list_(trigger: OfTrigger = None, scheduler: Choice = None, as_json: Json = False) -> None:
    """List failing firings: how often each failed, when it retries, and why it last failed."""
    from triggers.cli import output
    from triggers.operate import selection
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        of = selection.trigger_id(target, trigger)
        found = [one for one in target.ledger.retrying.failing() if not of or one.trigger == of]
        if as_json:
            labels = selection.part_labels(target, found)
            output.print_json([{**fields(target, one), "action": labels[one.key]} for one in found])
        else:
            _print(target, found)


@app.command()
def retry(
    which: Which = None,
    trigger: OfTrigger = None,
    everything: All = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Retry now instead of waiting for the next attempt. It counts like any other attempt."""
    from triggers.cli import output
    from triggers.operate import selection, waiting
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        of = selection.trigger_id(target, trigger)
        found = target.ledger.retrying.failing()
        meant = selection.select(found, which or (), of, everything=everything)
        retried = waiting.retry_failing(target, meant)
        if as_json:
            output.print_json({"retried": retried})
        else:
            rest = len(meant) - retried
            also = f"; {output.plural(rest, 'firing')} already due or in progress" if rest else ""
            output.say(f"{output.plural(retried, 'firing')} will be tried now{also}")


def fields(target: Target, one: Failing) -> dict[str, Any]:
    """A failing firing as JSON has it."""
    from triggers.operate.times import iso

    return {
        "firing": one.key,
        "trigger": one.trigger.partition(":")[2],
        "kind": one.kind,
        "object": one.object,
        "failures": one.failures,
        "attempts": target.settings.max_attempts,
        "next": iso(one.due_ms),
        "in_hand": one.in_hand,
        "reason": one.reason,
    }


def _print(target: Target, found: list[Failing]) -> None:
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate import wording
    from triggers.operate.failing import progress
    from triggers.operate.selection import SHOWN, part_labels

    labels = part_labels(target, found)
    now_ms, most, full = target.ledger.now_ms(), target.settings.max_attempts, output.width() >= 130
    rows = [
        [
            text(one.key[-SHOWN:]),
            text(one.trigger.partition(":")[2]),
            text(
                wording.short_object(one.kind, one.object, full=full), "", link(target.scheduler, one.kind, one.object)
            ),
            text("being tried" if one.in_hand else progress(one.failures, one.due_ms, most, now_ms)),
            text(": ".join(filter(None, (labels[one.key], one.reason.partition("\n")[0])))),
        ]
        for one in found
    ]
    columns = [Column("firing"), Column("trigger", style="cyan", most=22)]
    columns += [Column(wording.column_of_objects(one.kind for one in found)), Column("failed")]
    output.show_rows([*columns, Column("reason", grows=True)], rows, "no firing is failing")
