"""What `clearml-triggers list` prints. Without typer, so that a list without options needs no parser (`bare`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triggers.operate.query import View
    from triggers.operate.target import Target

#: From this width on, conditions have a column of their own.
_WIDE = 110


def run(
    scheduler: str | None = None, *, everything: bool = False, limit: int | None = None, as_json: bool = False
) -> None:
    """List the triggers, as `list_` declares it."""
    from triggers.cli import output
    from triggers.model.kinds import noun_of_id
    from triggers.operate.query import views
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        found = views(target, retired=everything, limit=output.rows(limit, as_json=as_json))
        unreadable = target.ledger.registry.snapshot().unreadable
        if as_json:
            quarantined = [
                {"name": id_.partition(":")[2], "kind": id_.partition(":")[0], "state": "unreadable", "why": unread.why}
                for id_, unread in unreadable.items()
            ]
            output.print_json([fields(target, view) for view in found] + quarantined)
            return
        _print(target, found, everything)
        for id_, unread in unreadable.items():
            output.note(f"{noun_of_id(id_)} {id_!r} is quarantined: {unread.why}")


def fields(target: Target, view: View) -> dict[str, Any]:
    """A trigger as JSON has it."""
    from triggers.clearml_api.links import link
    from triggers.operate import wording
    from triggers.operate.times import iso

    entry, trigger = view.entry, view.entry.trigger
    seen, launched = view.considered, view.launched
    return {
        "name": trigger.name,
        "kind": trigger.kind,
        "state": "failing" if view.failing and view.state in ("active", "new") else view.state,
        "muted": view.muted_until_ms is not None,
        "muted_until": iso(view.muted_until_ms),
        "condition": wording.condition(trigger),
        "action": wording.action(trigger),
        "policy": wording.policy(trigger, target.settings.max_per_minute),
        "origin": entry.origin,
        "source": entry.source,
        "since": iso(entry.since_ms),
        "last_event": {"object": seen.id, "name": seen.name, "changed": iso(seen.changed_ms)} if seen else None,
        "last_fired": {
            "at": iso(launched.last_ms),
            "object": launched.object,
            "task": launched.task,
            "link": link(target.scheduler, "task", launched.task),
        }
        if launched
        else None,
        "counts": dict(view.counts),
        "objects": view.objects,
        "waiting": view.waiting,
        "held": view.held,
        "dead": view.dead,
        "failing": _failing(target, view),
        "read_to": iso(view.read_to_ms),
        "lag_seconds": lag_seconds(target, view),
    }


def _failing(target: Target, view: View) -> dict[str, Any] | None:
    from triggers.operate.times import iso

    failure = view.failing
    if failure is None:
        return None
    said = {"firings": failure.firings, "failures": failure.failures, "attempts": target.settings.max_attempts}
    return said | {"next": iso(failure.next_ms), "reason": failure.reason}


def lag_seconds(target: Target, view: View) -> float | None:
    """How far reading is behind, by Redis' clock; None when nothing read yet."""
    return max(0.0, round((target.ledger.now_ms() - view.read_to_ms) / 1000, 1)) if view.read_to_ms else None


def _print(target: Target, found: list[View], retired: bool) -> None:
    from triggers.cli import output
    from triggers.cli.output import Column, styled, text
    from triggers.operate import wording
    from triggers.operate.query import in_order, state_of
    from triggers.operate.target import title
    from triggers.operate.times import ago

    now_ms, wide = target.ledger.now_ms(), output.width() >= _WIDE
    columns = [
        Column("trigger", grows=not wide, most=40 if wide else None),
        Column("state", folds=True, most=40 if output.width() >= 90 else 18),
    ]
    columns += [Column("condition", grows=True), Column("last event")] if wide else []
    columns += [Column("last fired"), *(Column(name, right=True) for name in ("fired", "waits", "held", "dead"))]
    rows = []
    for view in found:
        name, condition = view.entry.trigger.name, wording.condition(view.entry.trigger)
        seen = ago(view.considered.changed_ms if view.considered else None, now_ms)
        rows.append(
            [
                text(name, "cyan") if wide else text(name, "cyan").below(condition, "dim"),
                styled(state_of(target, view, now_ms)),
                *([text(condition), text(seen)] if wide else []),
                text(ago(view.launched.last_ms if view.launched else None, now_ms)),
                str(view.counts.get("launched", 0)),
                str(view.waiting),
                text(str(view.held), "yellow" if view.held else ""),
                text(str(view.dead), "bold red" if view.dead else ""),
            ]
        )
    output.show_rows(columns, rows, "no triggers are registered")
    read_to = min((view.read_to_ms for view in found if view.read_to_ms), default=0)
    reading = f"read up to {ago(read_to, now_ms)}" if read_to else "nothing read yet"
    stopped = "" if target.running else "; not running"
    number = len(in_order(target, retired=retired))
    shown = f" ({len(found)} shown, --limit 0 shows all)" if len(found) < number else ""
    said = f"{title(target.scheduler)}: {output.plural(number, 'trigger')}{shown}, {reading}{stopped}"
    if output.fits_a_terminal():
        output.show(text(said, "dim"))
