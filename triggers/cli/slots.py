"""`clearml-triggers slots`: what single_instance triggers wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from triggers.cli import completion
from triggers.cli.options import Choice, Json

if TYPE_CHECKING:
    from triggers.operate.target import Target

app = typer.Typer(
    no_args_is_help=True, help="List or release slots: what single_instance triggers and reused tasks hold."
)


@app.command("list")
def list_(scheduler: Choice = None, as_json: Json = False) -> None:
    """List the slots: which ClearML task holds each, and whether it still runs."""
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        slots = target.ledger.by_hand.slots()
        statuses = _statuses(target, [task for _, task in slots.values() if task])
        rows = [
            {
                "slot": slot,
                "firing": firing,
                "task": task,
                "status": statuses.get(task, "gone") if task else "being launched",
                "link": link(target.scheduler, "task", task),
            }
            for slot, (firing, task) in sorted(slots.items())
        ]
    if as_json:
        output.print_json(rows)
        return
    columns = [Column("slot", grows=True, style="cyan"), Column("firing"), Column("ClearML task"), Column("status")]
    cells = [
        [text(row["slot"]), text(row["firing"][-10:]), text(row["task"], "", row["link"]), text(row["status"])]
        for row in rows
    ]
    output.show_rows(columns, cells, "no slot is held")


def _statuses(target: Target, tasks: list[str]) -> dict[str, str]:
    from triggers.clearml_api import launches

    return launches.read_statuses(target.api, tasks) if tasks else {}


@app.command()
def release(
    slot: Annotated[str, typer.Argument(metavar="SLOT", help="as listed", autocompletion=completion.slots)],
    force: Annotated[bool, typer.Option("--force", help="even while its ClearML task runs")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Free a slot. Refused while its ClearML task is queued or running, when two would run at once."""
    from triggers.base.errors import TriggersError, Usage
    from triggers.cli import output
    from triggers.operate.target import open_target
    from triggers.rules.recovery import RUNNING

    with open_target(scheduler) as target:
        slots = target.ledger.by_hand.slots()
        if slot not in slots:
            raise Usage(f"there is no slot {slot!r}; there are: {', '.join(sorted(slots)) or 'none'}")
        firing, task = slots[slot]
        status = "" if force else _statuses(target, [task]).get(task, "gone") if task else "being launched"
        if status in {*RUNNING, "being launched"}:
            what = f"ClearML task {task} is {status}" if task else f"firing {firing[-10:]} is being launched"
            raise TriggersError(f"slot {slot!r}: {what}: stop it first, or add --force and have two run at once")
        with target.ledger.audit.change("slots release", slot=slot, task=task, force=force) as came:
            came["released"] = target.ledger.by_hand.release_slot(slot, (firing, task))
        if as_json:
            output.print_json({"released": came["released"]})
        else:
            output.say(
                f"released: {slot}" if came["released"] else f"{slot} was taken by another meanwhile: left alone"
            )
    raise typer.Exit(0 if came["released"] else 1)
