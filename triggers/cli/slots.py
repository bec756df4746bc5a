"""`clearml-triggers slots`: what single_instance triggers wait for."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli import completion
from triggers.cli.options import Choice, Json

app = typer.Typer(
    no_args_is_help=True,
    help="List or release slots, which single_instance triggers and reused tasks hold while a launch runs.",
)


@app.command("list")
def list_(scheduler: Choice = None, as_json: Json = False) -> None:
    """List the slots: which ClearML task holds each, and whether it still runs."""
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate.target import open_target
    from triggers.operate.waiting import LAUNCHING, slot_statuses

    with open_target(scheduler) as target:
        slots = target.ledger.by_hand.slots()
        statuses = slot_statuses(target, [task for _, task in slots.values() if task])
        rows = [
            {
                "slot": slot,
                "firing": firing,
                "task": task,
                "status": statuses.get(task, "gone") if task else LAUNCHING,
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


@app.command()
def release(
    slot: Annotated[str, typer.Argument(metavar="SLOT", help="as listed", autocompletion=completion.slots)],
    force: Annotated[bool, typer.Option("--force", help="release it even while its ClearML task runs")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Release a slot. Refused while its ClearML task is queued or running, since two could run at once."""
    from triggers.cli import output
    from triggers.operate.target import open_target
    from triggers.operate.waiting import release_slot

    with open_target(scheduler) as target:
        released = release_slot(target, slot, force=force)
        if as_json:
            output.print_json({"released": released})
        else:
            output.say(f"released: {slot}" if released else f"{slot} now belongs to another firing: not released")
    raise typer.Exit(0 if released else 1)
