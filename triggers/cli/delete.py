"""`clearml-triggers delete`: retire a trigger."""

from __future__ import annotations

from triggers.cli.options import Choice, Json, Name


def delete(name: Name, scheduler: Choice = None, as_json: Json = False) -> None:
    """Retire a trigger that `apply` declared. Its waiting firings are skipped; its history stays.

    Refused for a trigger that a script declares, which would bring it back.
    """
    from triggers.cli import output
    from triggers.operate import changes
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        entry = target.entry(name)
        changes.delete(target, entry)
        if as_json:
            output.print_json({"deleted": entry.trigger.name, "kind": entry.trigger.kind})
        else:
            output.say(f"deleted: {entry.trigger.name}")
