"""What people change of triggers from a page."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Final

from triggers.base.errors import Usage
from triggers.base.plural import plural
from triggers.configuration import dump, parse
from triggers.configuration.difference import TriggerDifference, apply, compare
from triggers.console.pages.trigger import edit_again, text_of
from triggers.console.request import Asked
from triggers.console.verb import ConsoleVerb, Question, entries_of
from triggers.ledger.registry.registry import Snapshot
from triggers.model import Trigger
from triggers.operate import changes, granting, muting, selection


def _pause(asked: Asked) -> str:
    changed = changes.pause(asked.scheduler.target, entries_of(asked))
    return f"Paused {plural(len(changed), 'trigger')}."


def _resume(asked: Asked) -> str:
    skip = bool(asked.given("skip_missed"))
    done = changes.resume(asked.scheduler.target, entries_of(asked), skip_missed=skip)
    resumed, released = plural(len(done.names), "trigger"), plural(done.go, "held firing")
    return f"Resumed {resumed}; {released} released, {done.skipped} skipped."


def _ask_resume(asked: Asked) -> Question | None:
    if not asked.given("skip_missed"):
        return None
    names = tuple(entry.trigger.name for entry in entries_of(asked))
    return Question("Resume these triggers and skip what they missed? Missed changes never fire.", names)


def _delete(asked: Asked) -> str:
    for entry in (entries := entries_of(asked)):
        changes.delete(asked.scheduler.target, entry)
    return f"Deleted {plural(len(entries), 'trigger')}."


def _ask_delete(asked: Asked) -> Question:
    return Question("Delete these triggers?", tuple(entry.trigger.name for entry in entries_of(asked)))


def _fire(asked: Asked) -> str:
    (entry,) = entries_of(asked)
    key, event = granting.fire(asked.scheduler.target, entry, asked.given("object").strip())
    return f"Granted firing {key[-selection.SHOWN :]} of trigger {entry.trigger.name} for {event.name}."


def _ask_fire(asked: Asked) -> Question:
    (entry,) = entries_of(asked)
    return Question(
        f"Fire trigger {entry.trigger.name} for this object, whatever its condition?", (asked.given("object"),)
    )


def _mute(asked: Asked) -> str:
    length = asked.given("for").strip()
    until_ms = muting.mute(asked.scheduler.target, entries := entries_of(asked), length or None)
    end = f"for {length}" if until_ms else "until it is unmuted" if len(entries) == 1 else "until they are unmuted"
    return f"Muted {plural(len(entries), 'trigger')} {end}."


def _unmute(asked: Asked) -> str:
    return f"Unmuted {plural(len(muting.unmute(asked.scheduler.target, entries_of(asked))), 'trigger')}."


def _apply(asked: Asked) -> str:
    document = parse(text_of(asked), "the text")
    done = apply(asked.scheduler.target, document.triggers, prune=False, source="the console")
    words = (("add", "added"), ("edit", "edited"))
    return "Applied: " + ", ".join(f"{sum(one.what == what for one in done)} {word}" for what, word in words) + "."


def _ask_apply(asked: Asked) -> Question:
    """The difference, before it is made."""
    document = parse(text_of(asked), "the text")
    known = asked.scheduler.target.ledger.registry.snapshot()
    found = [one for one in compare(document.triggers, known, prune=False) if one.what in ("add", "edit")]
    if not found:
        raise Usage("this is what is registered already: nothing to apply")
    words = {"add": "New", "edit": "Edited"}
    lines = [
        f"{words[one.what]}: {one.trigger.kind} {one.trigger.name}" + (f" ({one.why})" * bool(one.why)) for one in found
    ]
    return Question("Apply these changes?", tuple(lines), tuple(_diff(found, known)))


def _diff(found: list[TriggerDifference], known: Snapshot) -> Iterator[tuple[str, str]]:
    """The lines of YAML that change, each behind its sign, with some around them."""
    for change in found:
        old = known.get(change.trigger.id)
        before = _yaml(old.trigger) if old and change.what == "edit" else []
        for line in list(unified_diff(before, _yaml(change.trigger), n=3, lineterm=""))[2:]:
            yield ("@", "") if line.startswith("@@") else (line[:1], line[1:])


def _yaml(trigger: Trigger) -> list[str]:
    return [line for line in dump([trigger]).splitlines() if not line.startswith(("#", "triggers:"))]


VERBS: Final[dict[str, ConsoleVerb]] = {
    "pause": ConsoleVerb("Pause", _pause),
    "resume": ConsoleVerb("Resume", _resume, _ask_resume),
    "mute": ConsoleVerb("Mute", _mute),
    "unmute": ConsoleVerb("Unmute", _unmute),
    "delete": ConsoleVerb("Delete", _delete, _ask_delete),
    "fire": ConsoleVerb("Fire", _fire, _ask_fire),
    "apply": ConsoleVerb("Apply", _apply, _ask_apply, edit_again),
}
