"""`clearml-triggers holds`: firings that wait on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from triggers.cli import completion, options
from triggers.cli.options import Choice, Json, Limit

if TYPE_CHECKING:
    from triggers.ledger.firings.firing import Firing
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
    limit: Limit = None,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """List the holds, or the firings of one hold, in the order in which they will launch."""
    from triggers.cli import dead, output
    from triggers.operate import selection
    from triggers.operate.target import open_target

    shown = output.rows(limit, as_json=as_json)
    with open_target(scheduler) as target:
        if hold:
            found = selection.held(target, hold, shown)
            if as_json:
                output.print_json([dead.fields(target, firing) for firing in found])
            else:
                dead.print_firings(target, found, f"no firing is held by {hold!r}")
                _more(len(found), target.ledger.operations.held_count(hold), "firing")
            return
        holds = target.ledger.firings.holds()
        meant = holds[:shown]
        counts, firsts = target.ledger.operations.held_counts(meant), target.ledger.operations.first_held(meant)
        if as_json:
            output.print_json([_fields(target, name, counts[name], firsts[name]) for name in meant])
        else:
            _print(target, counts, firsts)
            _more(len(meant), len(holds), "hold")


def _more(shown: int, number: int, word: str) -> None:
    from triggers.cli import output

    if shown < number:
        output.note(f"{shown} of {output.plural(number, word)} shown; --limit 0 shows all")


def _fields(target: Target, name: str, count: int, oldest: Firing | None) -> dict[str, object]:
    from triggers.operate.times import iso

    return {
        "hold": name,
        "count": count,
        "oldest": iso(oldest.granted_ms) if oldest else None,
        "reason": _why(target, name, oldest) if oldest else "",
        "minutes": _minutes(target, oldest, count),
    }


def _minutes(target: Target, oldest: Firing | None, count: int) -> int:
    from triggers.operate import releasing

    return releasing.minutes(target, oldest.trigger, count) if oldest else 0


def _why(target: Target, hold: str, oldest: Firing) -> str:
    """What holds it now: who has a slot changes while firings wait for it."""
    from triggers.explain.values import Slot
    from triggers.explain.waiting import in_slot

    reason, _, name = hold.partition(":")
    if reason != "slot":
        return oldest.reason
    firing, task = target.ledger.by_hand.slots().get(name, ("", ""))
    return in_slot(Slot(name, firing, task), target.settings.max_attempts, target.ledger.now_ms())[0]


def _print(target: Target, counts: dict[str, int], firsts: dict[str, Firing | None]) -> None:
    from triggers.cli import output
    from triggers.cli.output import Column, text
    from triggers.operate import releasing
    from triggers.operate.times import ago

    now_ms = target.ledger.now_ms()
    rows = []
    for name, oldest in firsts.items():
        lasts = releasing.in_words(_minutes(target, oldest, counts[name]))
        why = "; ".join(filter(None, [_why(target, name, oldest) if oldest else "", lasts]))
        when = ago(oldest.granted_ms, now_ms) if oldest else ""
        rows.append([text(name, "cyan"), str(counts[name]), text(when), text(why)])
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
