"""`clearml-triggers holds`: firings that wait on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from triggers.cli import completion, options
from triggers.cli.options import Choice, Json

if TYPE_CHECKING:
    from triggers.ledger.firing import Firing
    from triggers.operate.target import Target

app = typer.Typer(
    no_args_is_help=True, help="List, release, or drop holds: firings that wait for a pause, a rate limit, or a slot."
)

Hold = Annotated[
    str,
    typer.Argument(metavar="HOLD", help="hold, as listed, such as 'pace:task:NAME'", autocompletion=completion.holds),
]
Which = Annotated[list[str] | None, options.firings(completion.held_firings, "; all if none is given")]


@app.command("list")
def list_(
    hold: Annotated[
        str | None,
        typer.Argument(metavar="[HOLD]", help="list the firings of this hold", autocompletion=completion.holds),
    ] = None,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """List the holds, or the firings of one hold, in the order in which they will launch."""
    from triggers.cli import dead, output
    from triggers.operate import selection
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        if hold:
            found = selection.held(target, hold)
            if as_json:
                output.print_json([dead.fields(target, firing) for firing in found])
            else:
                dead.print_firings(target, found, f"no firing is held by {hold!r}")
            return
        holds = {name: target.ledger.operations.held(name, 0, 1) for name in target.ledger.firings.holds()}
        if as_json:
            output.print_json([_fields(target, name, first) for name, first in holds.items()])
        else:
            _print(target, holds)


def _fields(target: Target, name: str, first: list[Firing]) -> dict[str, object]:
    from triggers.operate.times import iso

    oldest = first[0] if first else None
    return {
        "hold": name,
        "count": target.ledger.operations.held_count(name),
        "oldest": iso(oldest.granted_ms) if oldest else None,
        "reason": _why(target, name, oldest) if oldest else "",
    }


def _why(target: Target, hold: str, oldest: Firing) -> str:
    """What holds it now: who has a slot changes while firings wait for it."""
    from triggers.explain.values import Slot
    from triggers.explain.waiting import in_slot

    reason, _, name = hold.partition(":")
    if reason != "slot":
        return oldest.reason
    firing, task = target.ledger.by_hand.slots().get(name, ("", ""))
    return in_slot(Slot(name, firing, task), target.settings.max_attempts, target.ledger.now_ms())[0]


def _print(target: Target, holds: dict[str, list[Firing]]) -> None:
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate.times import ago

    now_ms = target.ledger.now_ms()
    rows = [
        [
            text(name, "cyan"),
            str(target.ledger.operations.held_count(name)),
            text(ago(first[0].granted_ms, now_ms) if first else ""),
            text(_why(target, name, first[0]) if first else ""),
        ]
        for name, first in holds.items()
    ]
    columns = [Column("hold", grows=True), Column("firings", right=True), Column("oldest"), Column("why", grows=True)]
    output.show_rows(columns, rows, "no firing is held")


@app.command()
def release(hold: Hold, which: Which = None, scheduler: Choice = None, as_json: Json = False) -> None:
    """Release held firings now, past the rate limit of their trigger. A slot must still be free first."""
    from triggers.cli import output
    from triggers.operate import selection, waiting
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        waiting.refuse_paused(target, hold)
        released = waiting.release_held(target, hold, _meant(selection.held(target, hold), which))
        if as_json:
            output.print_json({"released": released})
        else:
            output.say(f"{output.plural(released, 'firing')} released")


@app.command()
def drop(hold: Hold, which: Which = None, scheduler: Choice = None, as_json: Json = False) -> None:
    """Drop held firings for good: they never fire again for that change."""
    from triggers.cli import output
    from triggers.operate import selection, waiting
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        dropped = waiting.drop_held(target, hold, _meant(selection.held(target, hold), which))
        if as_json:
            output.print_json({"dropped": dropped})
        else:
            output.say(f"{output.plural(dropped, 'firing')} dropped")


def _meant(found: list[Firing], which: list[str] | None) -> list[Firing]:
    from triggers.operate import selection

    return selection.select(found, which or (), "", everything=not which)
