"""A trigger in words. The table of clauses that decides the condition also words it."""

from __future__ import annotations

from collections.abc import Iterable

from triggers.base.plural import plural, word
from triggers.ledger.firings.firing import Firing
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.kinds import object_noun
from triggers.model.parts import all_parts, is_part, label_of_key, list_of, number_of
from triggers.model.schedule_fields import SCHEDULE
from triggers.model.trigger import ScheduleTrigger
from triggers.rules import conditions


def condition(trigger: Trigger) -> str:
    """What has to hold, all of it."""
    if isinstance(trigger, ScheduleTrigger):
        return f"schedule: {trigger.when}"
    wanted = conditions.wanted(trigger)
    return f"{trigger.kind}: {'; '.join(wanted)}" if wanted else f"any change of a {trigger.kind}"


def action(trigger: Trigger) -> str:
    """What it does: each action, numbered if there are several."""
    return "; ".join(actions(trigger))


def actions(trigger: Trigger) -> list[str]:
    """The same, one text for each action."""
    found = list(all_parts(trigger))
    if len(found) == 1:
        return [trigger.action.words()]
    return [f"{number(part)}: {one.words()}" for part, one in found]


def other_kind(trigger: Trigger, event: Event) -> str:
    """That a trigger never fires for an object, whatever its condition, since it is for objects of another kind."""
    watched, found = object_noun(trigger.kind), object_noun(event.kind)
    return f"{trigger.called} is for {watched}s, and {event.id} is a {found}"


def number(part: str) -> str:
    """An action as people name it to `send --action`: "0", "1", "on_failed.0"."""
    name = list_of(part)
    return str(number_of(part)) if name == "actions" else f"{name}.{number_of(part)}"


def short_object(kind: str, id_: str, *, full: bool) -> str:
    """The id of an object as tables show it: the beginning says which, but of a time all of it."""
    return id_ if full or kind == SCHEDULE else id_[:8]


def column_of_objects(kinds: Iterable[str]) -> str:
    """The title of a column of such ids, by the triggers that they are for: their kinds, or their ids."""
    found = {kind.partition(":")[0] == SCHEDULE for kind in kinds}
    return "object or time" if len(found) > 1 else "time" if True in found else "object"


def action_state(firing: Firing | None) -> str:
    """The state of an action's firing; None: it waits for the launch, or is for a firing that fails or is resolved."""
    if firing is None:
        return "not begun"
    if firing.state == "waiting" and firing.failures:
        return "failing"
    if firing.state == "skipped" and firing.is_trial:
        return "failed"
    return "acted" if firing.state == "launched" and is_part(firing.key) else firing.state


def part(trigger: Trigger | None, firing: str, mark: str = "") -> str:
    """Which action of a firing a key is of: "action 1 (webhook)", "trial of action 0"; "" for the firing itself."""
    return label_of_key(trigger, firing, mark)


def policy(trigger: Trigger, default_per_minute: int) -> list[str]:
    """When it may do so; what is default first."""
    rules = trigger.policy
    fire = {
        "once": "once per object" if trigger.of_objects else "once at each time",
        "on_transition": "once each time the condition becomes true",
        "while_true": f"at every change, at least {rules.cooldown_minutes:g} min after the last firing",
    }
    words = [fire[rules.fire]]
    if rules.single_instance:
        then = {"skip": "the rest is skipped", "queue": "the rest waits", "latest": "only the newest waits"}
        then["cancel_previous"] = "the newest aborts the one before"
        words.append(f"one launch at a time, {then[rules.overlap]}")
    if rules.limit_execution_time is not None:
        words.append(f"aborted after {rules.limit_execution_time:g} h")
    if rules.pause_on_failures is not None:
        words.append(f"paused after {plural(rules.pause_on_failures, 'failure')} in a row")
    limit = default_per_minute if rules.max_per_minute is None else rules.max_per_minute
    launches = word(limit, "launch", "launches")
    words.append(f"at most {limit} {launches} a minute" if limit else "any number of launches a minute")
    return words


def state(entry: Entry, plan: int) -> str:
    """`active`, `paused`, `retired`, or `new` until a poll was made with it (`plan`: version of the last poll)."""
    if entry.retired:
        return "retired"
    if entry.paused:
        return "paused"
    return "new" if entry.version > plan else "active"


def declared(entry: Entry) -> str:
    """Which file or person the trigger is of as it is now."""
    writer = {"script": "a script", "configuration": "an edit in ClearML", "command": "the command line"}
    said = entry.source or writer.get(entry.origin, entry.origin)
    if entry.origin == "command" and entry.source:
        said = f"`apply` of {said}"
    other = entry.declared_in or "a script"
    return said if entry.origin == "script" or not entry.declared else f"{said} (declared in {other} too)"
