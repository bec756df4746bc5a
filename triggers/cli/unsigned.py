"""`clearml-triggers unsigned`: what was written to Redis without the key that signs."""

from __future__ import annotations

import typer

from triggers.cli.options import Choice, Json

app = typer.Typer(
    no_args_is_help=True,
    help="List, adopt, or drop data that TRIGGERS_SIGNING_KEY did not sign: older than the key, or forged.",
)


@app.command("list")
def list_(scheduler: Choice = None, as_json: Json = False) -> None:
    """List what is quarantined because it is not signed, or signed by another key. Ends with 1 if there is any."""
    from triggers.cli import NOT_SO, output
    from triggers.cli.output import Column, text
    from triggers.operate import unsigned
    from triggers.operate.target import open_target
    from triggers.operate.times import iso

    with open_target(scheduler) as target:
        found = unsigned.look(target)
        if as_json:
            output.print_json(
                [{"what": one.what, "why": one.why, "refused": iso(one.at_ms) if one.at_ms else None} for one in found]
            )
        else:
            output.show_rows(
                [Column("what", style="cyan"), Column("why", grows=True)],
                [[text(one.what), text(one.why)] for one in found],
                "all data is signed by a key of TRIGGERS_SIGNING_KEY",
            )
    if found:
        raise typer.Exit(NOT_SO)


@app.command()
def adopt(scheduler: Choice = None, as_json: Json = False) -> None:
    """Sign all of it as your own. Check the list first: from then on, workers also carry out forged data."""
    from triggers.cli import output
    from triggers.operate import unsigned
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        came = unsigned.adopt(target)
        if as_json:
            output.print_json(came)
        else:
            words = {"triggers": "trigger", "firings": "firing", "events": "event text"}
            signed = ", ".join(output.plural(came[name], word) for name, word in words.items())
            output.say(f"signed {signed}; {output.plural(came['retried'], 'dead letter')} will be tried again")


@app.command()
def drop(scheduler: Choice = None, as_json: Json = False) -> None:
    """Delete the list of refused data and end its alarm. Firings stay dead letters, triggers stay quarantined."""
    from triggers.cli import output
    from triggers.operate import unsigned
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        dropped = unsigned.drop(target)
        if as_json:
            output.print_json({"dropped": dropped})
        else:
            output.say(f"dropped {output.plural(dropped, 'refusal')}")
