"""`clearml-triggers show`: all there is to say about one trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triggers.cli.options import Choice, Json, Name

if TYPE_CHECKING:
    from triggers.model import Trigger
    from triggers.operate.query import View
    from triggers.operate.target import Target


def show(name: Name, scheduler: Choice = None, as_json: Json = False) -> None:
    """Show one trigger: condition, action, policy, last event, last firing, counts, and lag."""
    from triggers.cli import output
    from triggers.cli.listing import fields
    from triggers.operate.query import views
    from triggers.operate.target import open_target

    with open_target(scheduler) as target:
        entry = target.entry(name, retired=True)
        (view,) = [one for one in views(target, retired=True) if one.entry.trigger.id == entry.trigger.id]
        if as_json:
            output.print_json(fields(target, view))
        else:
            _print(target, view)


def _actions(trigger: Trigger) -> list[tuple[str, Any]]:
    """A row for each action, numbered as `send --action` takes them if there are several."""
    from triggers.cli import output
    from triggers.operate import wording

    lines = wording.actions(trigger)
    names = ["action" if len(lines) == 1 else "actions", *[""] * (len(lines) - 1)]
    return [(name, output.text(line)) for name, line in zip(names, lines, strict=True)]


def _print(target: Target, view: View) -> None:
    from triggers.clearml_api.links import link
    from triggers.cli import output
    from triggers.operate import timetables, wording
    from triggers.operate.history import Filter, newest
    from triggers.operate.query import state_of
    from triggers.operate.times import ago, local
    from triggers.rules.schedules.zones import LAST_MS

    now_ms = target.ledger.now_ms()
    trigger, seen, fired = view.entry.trigger, view.considered, view.launched
    policy = "; ".join(wording.policy(trigger, target.settings.max_per_minute))
    changes, thing = ("changes", "object") if trigger.of_objects else ("times", "time")
    rows = [
        ("trigger" if trigger.of_objects else "schedule", output.text(trigger.name, "cyan")),
        ("state", output.styled(state_of(target, view, now_ms))),
        ("condition", output.text(wording.condition(trigger))),
        *_actions(trigger),
        ("policy", output.text(policy)),
        (
            "declared",
            output.text(f"by {wording.declared(view.entry)}; {changes} count from {local(view.entry.since_ms)} on"),
        ),
        ("last event", output.text(f"{seen.kind} {seen.name!r} {ago(seen.changed_ms, now_ms)}" if seen else "none")),
        ("read up to", output.text(ago(view.read_to_ms, now_ms))),
        ("fired for", output.text(output.plural(view.objects, thing))),
        ("now", output.text(f"{view.waiting} waiting, {view.held} held, {view.dead} dead")),
    ]
    for tally in [fired] if fired else []:
        last = f"{ago(tally.last_ms, now_ms)}: {tally.task or trigger.action.done}"
        place = [name for name, _ in rows].index("read up to")
        rows.insert(place, ("last fired", output.text(last)))
        if page := link(target.scheduler, "task", tally.task):
            rows.insert(place + 1, ("", output.text(page, "dim")))
    if view.muted_until_ms is not None:
        rows.insert(2, ("muted", output.text(f"until {local(view.muted_until_ms) or '`unmute`'}: nobody is notified")))
    if view.failing:
        rows.append(("failed last", output.text(view.failing.reason.partition("\n")[0])))
    if not trigger.of_objects:
        coming = timetables.coming([view.entry], target.ledger.wall_ms(), LAST_MS, 1)
        next_ = coming[0].event.at if coming else "not while it is paused" if view.entry.paused else "never"
        rows.insert(3, ("next", output.text(next_)))
    kept = ", ".join(f"{what} {count}" for what, count in sorted(view.counts.items())) or "nothing"
    rows.append(("in all", output.text(kept)))
    output.show(output.pairs(rows))
    newest_ = newest(target, Filter(trigger.id), 5)
    if newest_:
        from triggers.cli.history import print_entries

        output.show("")
        print_entries(target, newest_, now_ms)
