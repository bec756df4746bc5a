"""`clearml-triggers explain`: why a trigger did, did not or would fire for an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli.options import Choice, Json, Name

if TYPE_CHECKING:
    from triggers.explain import Check, ClauseRow, Explanation
    from triggers.explain.values import Found
    from triggers.operate.target import Target

_GOOD = {"fired": "green", "will fire": "green", "waiting": "cyan", "held": "yellow", "dead": "bold red"}


def explain(
    name: Name,
    object_id: Annotated[str, typer.Argument(metavar="OBJECT", help="id of a model, dataset or ClearML task")],
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Explain why a trigger did, did not or would fire for an object.

    Shows each clause of its condition against the object as the server has it now and as it was last seen, and
    everything else that a firing depends on. Exit code 0 when it fired or will fire, 1 when not.
    """
    from triggers.cli import output
    from triggers.explain.gather import gather
    from triggers.explain.judge import judge
    from triggers.operate.objects import full_id
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        explanation = judge(gather(target, target.entry(name), full_id(target, object_id)))
        if as_json:
            output.print_json(fields(target, explanation))
        else:
            _print(target, explanation)
    raise typer.Exit(0 if explanation.fires else 1)


def fields(target: Target, explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON has it."""
    from triggers.operate.links import link
    from triggers.operate.when import iso

    facts = explanation.facts
    return {
        "trigger": facts.entry.trigger.name,
        "object": facts.object_id,
        "answer": explanation.answer,
        "because": explanation.because,
        "way_out": explanation.way_out,
        "clauses": [
            {"name": row.name, "wanted": row.wanted, "now": _state(row.now), "last_seen": _state(row.seen)}
            for row in explanation.clauses
        ],
        "checks": [{"name": check.name, "passes": check.passes, "words": check.words} for check in explanation.checks],
        "firings": [
            {
                "firing": firing.key,
                "occurrence": firing.occurrence,
                "state": firing.state,
                "reason": firing.reason,
                "granted": iso(firing.granted_ms),
                "ended": iso(firing.ended_ms),
                "task": firing.task,
                "link": link(target.scheduler, "task", firing.task or ""),
            }
            for firing in facts.firings
        ],
        "changed": iso(facts.now.changed_ms) if facts.now else None,
        "last_seen_changed": iso(facts.seen.changed_ms) if facts.seen else None,
    }


def _state(found: Found | None) -> dict[str, Any] | None:
    return {"holds": found.holds, "found": found.found} if found else None


def _print(target: Target, explanation: Explanation) -> None:
    from triggers.cli import output
    from triggers.operate.links import link

    facts, console = explanation.facts, output.console()
    shown = facts.now or facts.seen
    what = f"{shown.kind} {shown.name!r}" if shown else "object"
    title = output.text(f"{facts.entry.trigger.name} and {what} ")
    title.append(facts.object_id, "dim")
    console.print(title)
    answer = output.text(explanation.answer, f"bold {_GOOD.get(explanation.answer, 'yellow')}")
    console.print(answer.append(f": {explanation.because}", "not bold default"))
    if explanation.way_out:
        console.print(output.text(f"→ {explanation.way_out}"))
    console.print()
    if explanation.clauses:
        console.print(_clauses(explanation.clauses))
        console.print()
    console.print(_checks(explanation.checks))
    for firing in facts.firings:
        if firing.task:
            console.print(output.text(f"\n{link(target.scheduler, 'task', firing.task)}", "dim"), soft_wrap=True)


def _clauses(rows: tuple[ClauseRow, ...]) -> Any:
    from triggers.cli import output
    from triggers.cli.output import Column

    columns = [Column("condition"), Column("wanted", grows=True), Column("now", grows=True)]
    columns.append(Column("as last seen", grows=True))
    cells = [[output.text(row.name), output.text(row.wanted), _cell(row.now), _cell(row.seen)] for row in rows]
    return output.table(columns, cells)


def _cell(found: Found | None) -> Any:
    from triggers.cli import output

    if found is None:
        return output.text("-", "dim")
    return output.text("✓ " if found.holds else "✗ ", "green" if found.holds else "bold red").append(
        found.found, "default not bold"
    )


def _checks(checks: tuple[Check, ...]) -> Any:
    from triggers.cli import output
    from triggers.cli.output import Column

    signs = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("-", "dim")}
    rows = [[output.text(c.name), output.text(*signs[c.passes]), output.text(c.words)] for c in checks]
    return output.table([Column("beside it"), Column(""), Column("found", grows=True)], rows)
