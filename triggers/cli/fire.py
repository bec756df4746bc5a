"""`clearml-triggers fire`: launch for one object by hand."""

from __future__ import annotations

from triggers.cli.options import Choice, Json, Name, ObjectArgument


def fire(
    name: Name,
    object_: ObjectArgument,
    scheduler: Choice = None,
    as_json: Json = False,
) -> None:
    """Fire a trigger for an object now, whether or not its condition holds and it has fired before.

    Each call is one firing, launched exactly once. Pause, rate limit, and single_instance still apply.
    """
    from triggers.base.escaping import command
    from triggers.cli import output
    from triggers.model.kinds import noun_of
    from triggers.operate import granting
    from triggers.operate.objects import full_id
    from triggers.operate.target import open_target
    from triggers.rules.conditions import evaluate

    with open_target(scheduler) as target:
        entry = target.entry(name)
        key, event = granting.fire(target, entry, full_id(target, object_))
        verdict = evaluate(entry.trigger, event)
        if as_json:
            satisfied = {"condition_holds": verdict.matched, "paused": entry.paused}
            output.print_json({"firing": key, "trigger": entry.trigger.name, "object": event.id, **satisfied})
            return
        of = f"{event.kind} {event.name!r} ({event.id})" if entry.trigger.of_objects else f"time {event.id}"
        output.say(f"fired: {entry.trigger.name} for {of}, firing {key[-10:]}")
        if not verdict.matched:
            clause = verdict.failed[0]
            output.say(f"its condition does not hold: {clause.name}: wanted {clause.wanted}, found {clause.found}")
        if entry.paused:
            noun, resume = noun_of(entry.trigger.kind), command("resume", entry.trigger.name)
            output.say(f"the {noun} is paused: the firing waits until `{resume}`")
