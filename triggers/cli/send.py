"""`clearml-triggers send`: try the actions of a trigger on an object."""

from __future__ import annotations

from typing import Annotated

import typer

from triggers.cli.options import Choice, Json, Name, ObjectArgument

#: What a trial's state means; anything else is shown as it is.
_WORDS = {"launched": "done", "skipped": "failed"}


def send(
    name: Name,
    object_: ObjectArgument,
    action: Annotated[
        str | None, typer.Option(metavar="N", help="action to try: 0, 1, on_failed.0, on_resolved.0; if omitted, all")
    ] = None,
    seconds: Annotated[float, typer.Option(help="longest time to wait for the outcome", min=0)] = 30.0,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Try the actions of a trigger on an object now: webhooks, notifications, edits.

    A worker carries out each once, marked as a trial. The trial is recorded in the history; it counts as no firing
    and has no retries. Pauses do not hold it. Exit code 1 unless all succeeded.
    """
    from triggers.cli import output
    from triggers.operate import sending, wording
    from triggers.operate.objects import full_id
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        trials, event = sending.send(target, target.entry(name), full_id(target, object_), action)
        ended = sending.outcomes(target, trials, seconds)
        rows = []
        for trial in trials:
            firing = ended.get(trial.key)
            state = _WORDS.get(firing.state, firing.state) if firing else "no answer yet"
            reason = firing.reason if firing else "see `clearml-triggers history`, and `doctor` if no worker takes it"
            number, words = wording.number(trial.part), trial.action.words()
            rows.append({"action": number, "does": words, "state": state, "reason": reason, "firing": trial.key})
        if as_json:
            output.print_json({"trigger": name, "object": event.id, "trials": rows})
        else:
            columns = [output.Column("action"), output.Column("does", grows=True), output.Column("outcome")]
            shown = ("action", "does", "state", "reason")
            cells = [[output.text(row[name]) for name in shown] for row in rows]
            output.show_rows([*columns, output.Column("", grows=True)], cells, "nothing to try")
    raise typer.Exit(0 if all(row["state"] == "done" for row in rows) else 1)
