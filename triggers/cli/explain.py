"""`clearml-triggers explain`: why a trigger did, did not or would fire for an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from triggers.cli import completion
from triggers.cli.options import OBJECT_HELP, Choice, Json

if TYPE_CHECKING:
    from triggers.explain import Check, ClauseRow, Explanation
    from triggers.explain.actions import ExplainedAction
    from triggers.explain.values import ClauseResult
    from triggers.operate.target import Target

_GOOD = {
    "fired": "green", "will fire": "green", "waiting": "cyan", "failing": "bold yellow", "held": "yellow",
    "dead": "bold red",
}  # fmt: skip


def explain(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] OBJECT",
            help=f"a trigger, and a model, dataset or ClearML task: {OBJECT_HELP}; without a trigger, all of them",
            autocompletion=completion.triggers,
        ),
    ],
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Explain why a trigger did, did not or would fire for an object; without a trigger, why each did or did not.

    Shows each clause of its condition against the object as the server has it now and as it was last stored, and
    everything else that a firing depends on. Exit code 0 when it fired or will fire, 1 when not.
    """
    from triggers.base.errors import Usage
    from triggers.base.plural import plural
    from triggers.cli import output
    from triggers.explain.gather import gather
    from triggers.explain.judge import judge
    from triggers.operate.objects import full_id
    from triggers.operate.target import open_target

    if len(words) > 2:
        given = plural(len(words), "word")
        raise Usage(f"explain takes a trigger and an object, not {given}: quote names that contain spaces")
    with open_target(scheduler) as target:
        if len(words) == 1:
            found = _of_all(target, words[0])
            output.print_json([fields(target, one) for one in found]) if as_json else _print_all(found)
            raise typer.Exit(0 if any(one.fires for one in found) else 1)
        entry = target.entry(words[0])
        explanation = judge(gather(target, entry, full_id(target, words[1])))
        if as_json:
            output.print_json(fields(target, explanation))
        else:
            _print(target, explanation)
    raise typer.Exit(0 if explanation.fires else 1)


def _of_all(target: Target, word: str) -> list[Explanation]:
    """The explanations of all triggers of the object's kind; of every trigger for an object that is not known."""
    from triggers.base.errors import Usage
    from triggers.explain.every import explain_every
    from triggers.model.kinds import noun_of
    from triggers.operate.objects import full_id

    entries = target.ledger.registry.snapshot().active
    meant = next((entry.trigger for entry in entries if word in (entry.trigger.name, entry.trigger.id)), None)
    if meant is not None:
        what = "object" if meant.of_objects else "time"
        raise Usage(f"{word!r} is a {noun_of(meant.kind)}: say which {what} to explain it for, or only the {what}")
    return explain_every(target, full_id(target, word))[0]


def fields(target: Target, explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON has it."""
    from triggers.clearml_api.links import link
    from triggers.explain.actions import further_actions
    from triggers.operate.times import iso

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
                "failures": firing.failures,
                "reason": firing.reason,
                "granted": iso(firing.granted_ms),
                "ended": iso(firing.ended_ms),
                "task": firing.task,
                "link": link(target.scheduler, "task", firing.task or ""),
            }
            for firing in facts.firings
        ],
        "actions": [
            {
                "firing": one.key,
                "action": one.label,
                "state": one.firing.state if one.firing else one.state,
                "failures": one.firing.failures if one.firing else 0,
                "reason": one.firing.reason if one.firing else "",
                "ended": iso(one.firing.ended_ms) if one.firing else None,
            }
            for one in further_actions(facts)
        ],
        "changed": iso(facts.now.changed_ms) if facts.now else None,
        "last_seen_changed": iso(facts.seen.changed_ms) if facts.seen else None,
    }


def _state(found: ClauseResult | None) -> dict[str, Any] | None:
    return {"holds": found.holds, "found": found.found} if found else None


def _answer(explanation: Explanation) -> Any:
    from triggers.cli import output

    return output.text(explanation.answer, f"bold {_GOOD.get(explanation.answer, 'yellow')}")


def _print_all(found: list[Explanation]) -> None:
    from triggers.cli import output
    from triggers.cli.output import Column

    if not found:
        output.note("no trigger fires on objects of this kind")
        return
    shown, of_objects = found[0].facts.now or found[0].facts.seen, found[0].facts.entry.trigger.of_objects
    title = output.text(
        f"{shown.kind} {shown.name!r} " if shown and of_objects else "object " if of_objects else "time "
    )
    output.show(title.append(found[0].facts.object_id, "dim"), "")
    unknown = [one for one in found if one.answer in ("no such object", "no such time")]
    if len(unknown) == len(found):
        output.show(output.text(unknown[0].because).below(f"→ {unknown[0].way_out}"), whole=True)
        return
    rows = [
        [
            output.text(one.facts.entry.trigger.name, "cyan"),
            _answer(one),
            output.text(one.because).below(f"→ {one.way_out}") if one.way_out else output.text(one.because),
        ]
        for one in found
    ]
    output.show(
        output.table(
            [Column("trigger", most=32 if output.width() >= 90 else 20), Column("answer"), Column("why", grows=True)],
            rows,
        )
    )


def _print(target: Target, explanation: Explanation) -> None:
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.explain.actions import further_actions

    facts = explanation.facts
    shown = facts.now or facts.seen
    of_objects = facts.entry.trigger.of_objects
    what = f"{shown.kind} {shown.name!r}" if shown and of_objects else "object" if of_objects else "time"
    title = output.text(f"{facts.entry.trigger.name} and {what} ").append(facts.object_id, "dim")
    output.show(title, _answer(explanation).append(f": {explanation.because}", "not bold default"))
    if explanation.way_out:
        output.show(output.text(f"→ {explanation.way_out}"))
    output.show("")
    if explanation.clauses:
        output.show(_clauses(explanation.clauses), "")
    output.show(_checks(explanation.checks))
    if actions := further_actions(facts):
        output.show("", _table_of(actions))
    for firing in facts.firings:
        if firing.task:
            output.show("", output.text(link(target.scheduler, "task", firing.task), "dim"), whole=True)


def _table_of(actions: list[ExplainedAction]) -> Any:
    """What became of each further action of the last firing."""
    from triggers.base.plural import often
    from triggers.cli import output
    from triggers.cli.output import Column

    rows = []
    for one in actions:
        failures = one.firing.failures if one.firing and one.state == "failing" else 0
        said = ": ".join(filter(None, (f"failed {often(failures)}" if failures else "", one.reason)))
        rows.append([output.text(one.label), output.styled(one.state), output.text(said)])
    return output.table([Column("actions of its firing"), Column(""), Column("found", grows=True)], rows)


def _clauses(rows: tuple[ClauseRow, ...]) -> Any:
    from triggers.cli import output
    from triggers.cli.output import Column

    columns = [Column("condition"), Column("wanted", grows=True), Column("now", grows=True)]
    columns.append(Column("as last stored", grows=True))
    cells = [[output.text(row.name), output.text(row.wanted), _cell(row.now), _cell(row.seen)] for row in rows]
    return output.table(columns, cells)


def _cell(found: ClauseResult | None) -> Any:
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
    return output.table([Column("also required"), Column(""), Column("found", grows=True)], rows)
