"""`clearml-triggers apply`: make the registered triggers those of a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli.options import Choice, File, Json

if TYPE_CHECKING:
    from triggers.configuration.difference import TriggerDifference

_SIGNS = {"add": ("+", "green"), "edit": ("~", "yellow"), "remove": ("-", "red"), "keep": ("!", "dim")}


def apply(
    file: File,
    prune: Annotated[bool, typer.Option("--prune", help="remove triggers that the file does not have")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would change, as `diff` does")] = False,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Register the triggers of a YAML file, and show the changes. Applying a file twice changes nothing.

    Triggers that are not in the file stay, unless you give --prune; those that a script declares always stay. An
    edited trigger keeps its history and its pause.
    """
    from triggers.base.plural import SHOWN_AT_MOST
    from triggers.cli import output
    from triggers.configuration import difference as differences
    from triggers.configuration import load, name_of
    from triggers.operate.target import open_target

    document = load(file)
    with open_target(scheduler) as target:
        if dry_run:
            changes = differences.compare(document.triggers, target.ledger.registry.snapshot(), prune=prune)
        else:
            changes = differences.apply(target, document.triggers, prune=prune, source=name_of(file))
        fresh = [change.trigger for change in changes if change.what in ("add", "edit")]
        missing = _missing(target, fresh) if fresh else []
    if as_json:
        output.print_json({"changes": [fields(change) for change in changes], "missing": missing})
        return
    print_changes(changes, done=not dry_run)
    for line in missing[:SHOWN_AT_MOST]:
        output.note(line)
    if (more := len(missing) - SHOWN_AT_MOST) > 0:
        output.note(f"{more:,} more such lines: `clearml-triggers doctor --json` lists what the server does not have")


def _missing(target: Any, triggers: list[Any]) -> list[str]:
    """What they name that the server does not have; a server that does not answer has no say here."""
    from triggers.base.errors import TriggersError
    from triggers.client.checks import missing, over, too_often, unconditional

    try:
        told = over(triggers, target.ledger.wall_ms()) + too_often(triggers) + unconditional(triggers)
        return told + missing(target.api, triggers)
    except TriggersError as failure:
        return [f"cannot check the names against the ClearML server: {failure}"]


def fields(change: TriggerDifference) -> dict[str, Any]:
    """A change as JSON has it."""
    return {
        "what": change.what,
        "kind": change.trigger.kind,
        "name": change.trigger.name,
        "fields": {name: {"before": before, "after": after} for name, (before, after) in change.fields.items()},
        "why": change.why,
    }


def _each(fields: dict[str, tuple[Any, Any]]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The changed arguments; of a list of actions, each action that differs by its place in the list."""
    from triggers.model.parts import LISTS

    for name, (before, after) in fields.items():
        if name not in LISTS:
            yield name, (before, after)
            continue
        for place, pair in enumerate(zip_longest(before or (), after or ())):
            if pair[0] != pair[1]:
                yield f"{name}[{place}]", pair


def print_changes(changes: list[TriggerDifference], *, done: bool = False) -> None:
    """Show changes, one trigger after the other; `done`: they were made."""
    from triggers.cli import output

    for change in changes:
        if change.what == "same":
            continue
        sign, style = _SIGNS[change.what]
        line = output.text(f"{sign} {change.trigger.kind} ", style).append(change.trigger.name, "bold")
        output.show(line.append(f"  {change.why}" if change.why else "", "dim"), whole=True)
        for name, (before, after) in _each(change.fields):
            if change.what == "add" and name in ("kind", "name"):
                continue
            said = f"{after!r}" if before is None else f"{before!r} → {'not given' if after is None else repr(after)}"
            output.show(output.text(f"    {name}: {said}"), whole=True)
    counts = {
        what: sum(change.what == what for change in changes) for what in ("add", "edit", "remove", "same", "keep")
    }
    words = {"add": "to add", "edit": "to edit", "remove": "to remove"}
    words = {"add": "added", "edit": "edited", "remove": "removed"} if done else words
    words |= {"same": "unchanged", "keep": "not in the file"}
    said = ", ".join(f"{count} {words[what]}" for what, count in counts.items() if count)
    output.show(output.text(said or "the file has no triggers, and no trigger is registered"))
