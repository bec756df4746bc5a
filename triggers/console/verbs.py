"""What can be changed from a page: one row each, which goes the way of the verb of that name.

A verb that cannot be undone has a question, which is asked before it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from triggers.base.errors import Usage
from triggers.configuration import parse
from triggers.configuration.difference import apply, compare
from triggers.console.pages.firing import firing_of
from triggers.console.pages.trigger import text_of
from triggers.console.request import Asked
from triggers.console.wording import plural
from triggers.ledger.firing import Firing
from triggers.ledger.registry import Entry
from triggers.operate import changes, granting, selection, waiting


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before: a sentence, and what it is about, line by line."""

    words: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsoleVerb:
    """One change.

    Attributes:
        label: What its button says.
        do: Carries it out; what it brought, as a sentence.
        question: What is asked before; None where it can be undone.
    """

    label: str
    do: Callable[[Asked], str]
    question: Callable[[Asked], Question | None] = lambda _: None


def _entries(asked: Asked) -> list[Entry]:
    names = asked.form.get("trigger", [])
    if not names:
        raise Usage("choose a trigger first")
    return [asked.scheduler.target.entry(name) for name in names]


def _pause(asked: Asked) -> str:
    changed = changes.pause(asked.scheduler.target, _entries(asked))
    return f"Paused {plural(len(changed), 'trigger')}."


def _resume(asked: Asked) -> str:
    skip = bool(asked.given("skip_missed"))
    done = changes.resume(asked.scheduler.target, _entries(asked), skip_missed=skip)
    return f"Resumed {plural(len(done.names), 'trigger')}; {done.go} held firings go, {done.skipped} were skipped."


def _ask_resume(asked: Asked) -> Question | None:
    if not asked.given("skip_missed"):
        return None
    names = tuple(entry.trigger.name for entry in _entries(asked))
    return Question("Resume these triggers and skip what they missed? What was missed never fires.", names)


def _delete(asked: Asked) -> str:
    for entry in (entries := _entries(asked)):
        changes.delete(asked.scheduler.target, entry)
    return f"Deleted {plural(len(entries), 'trigger')}."


def _ask_delete(asked: Asked) -> Question:
    return Question("Delete these triggers?", tuple(entry.trigger.name for entry in _entries(asked)))


def _fire(asked: Asked) -> str:
    (entry,) = _entries(asked)
    key, event = granting.fire(asked.scheduler.target, entry, asked.given("object").strip())
    return f"Granted firing {key[-selection.SHOWN :]} of trigger {entry.trigger.name} for {event.name}."


def _ask_fire(asked: Asked) -> Question:
    (entry,) = _entries(asked)
    return Question(
        f"Fire trigger {entry.trigger.name} for this object, whatever its condition says?", (asked.given("object"),)
    )


def _dead(asked: Asked) -> list[Firing]:
    """The dead letters that were chosen, or all."""
    found = selection.dead(asked.scheduler.target)
    return _chosen(found, asked)


def _chosen(found: Sequence[Firing], asked: Asked) -> list[Firing]:
    if asked.given("all"):
        return list(found)
    keys = set(asked.form.get("firing", []))
    chosen = [firing for firing in found if firing.key in keys]
    if not chosen:
        raise Usage("choose firings that are still listed, or all of them")
    return chosen


def _lines(firings: Sequence[Firing]) -> tuple[str, ...]:
    shown = [f"{one.key[-selection.SHOWN :]}  {one.trigger.partition(':')[2]}  {one.object}" for one in firings[:20]]
    return (*shown, *([f"and {len(firings) - 20} more"] if len(firings) > 20 else []))


def _retry_dead(asked: Asked) -> str:
    return f"{plural(waiting.retry_dead(asked.scheduler.target, _dead(asked)), 'dead letter')} will be retried."


def _drop_dead(asked: Asked) -> str:
    return f"Dropped {plural(waiting.drop_dead(asked.scheduler.target, _dead(asked)), 'dead letter')}."


def _ask_drop_dead(asked: Asked) -> Question:
    return Question("Drop these dead letters? They never fire again for that change.", _lines(_dead(asked)))


def _retry_failing(asked: Asked) -> str:
    found = asked.scheduler.target.ledger.retrying.failing()
    keys = set(asked.form.get("firing", []))
    meant = [one for one in found if asked.given("all") or one.key in keys]
    return f"{plural(waiting.retry_failing(asked.scheduler.target, meant), 'firing')} will be tried now."


def _held(asked: Asked) -> list[Firing]:
    return _chosen(selection.held(asked.scheduler.target, asked.given("hold")), asked)


def _release(asked: Asked) -> str:
    count = waiting.release_held(asked.scheduler.target, asked.given("hold"), _held(asked))
    return f"Released {plural(count, 'firing')}."


def _ask_release(asked: Asked) -> Question:
    return Question("Release these firings now, past the pace of their trigger?", _lines(_held(asked)))


def _drop_held(asked: Asked) -> str:
    return f"Dropped {plural(waiting.drop_held(asked.scheduler.target, asked.given('hold'), _held(asked)), 'firing')}."


def _ask_drop_held(asked: Asked) -> Question:
    return Question("Drop these firings? They never fire again for that change.", _lines(_held(asked)))


def _release_slot(asked: Asked) -> str:
    slot = asked.given("slot")
    done = waiting.release_slot(asked.scheduler.target, slot, force=bool(asked.given("force")))
    return f"Released slot {slot}." if done else f"Another firing took slot {slot} meanwhile; it keeps it."


def _ask_release_slot(asked: Asked) -> Question:
    words = "Release this slot"
    words += " even while its ClearML task runs? Two may run at once then." if asked.given("force") else "?"
    return Question(words, (asked.given("slot"),))


def _apply(asked: Asked) -> str:
    document = parse(text_of(asked), "the text")
    done = apply(asked.scheduler.target, document.triggers, prune=False, source="the console")
    counts = [
        f"{sum(one.what == what for one in done)} {word}" for what, word in (("add", "added"), ("edit", "edited"))
    ]
    return f"Applied: {', '.join(counts)}."


def _ask_apply(asked: Asked) -> Question:
    """The difference, before it is made."""
    document = parse(text_of(asked), "the text")
    known = asked.scheduler.target.ledger.registry.snapshot()
    lines = []
    for change in compare(document.triggers, known, prune=False):
        if change.what not in ("add", "edit"):
            continue
        lines.append(
            f"{'+' if change.what == 'add' else '~'} {change.trigger.kind} {change.trigger.name}  {change.why}"
        )
        for name, (before, after) in change.fields.items():
            lines.append(f"    {name}: {before!r} → {after!r}")
    if not lines:
        raise Usage("this is what is registered already: nothing to apply")
    return Question("Apply these changes?", tuple(lines))


def _retry_one(asked: Asked) -> str:
    firing = firing_of(asked)
    if firing.state == "dead":
        count = waiting.retry_dead(asked.scheduler.target, [firing])
    else:
        found = [one for one in asked.scheduler.target.ledger.retrying.failing() if one.key == firing.key]
        count = waiting.retry_failing(asked.scheduler.target, found)
    return "The firing will be retried now." if count else "The firing is neither dead nor failing any more."


#: Name in the address → verb. Nothing else lists them.
VERBS: Final[dict[str, ConsoleVerb]] = {
    "pause": ConsoleVerb("Pause", _pause),
    "resume": ConsoleVerb("Resume", _resume, _ask_resume),
    "delete": ConsoleVerb("Delete", _delete, _ask_delete),
    "fire": ConsoleVerb("Fire", _fire, _ask_fire),
    "apply": ConsoleVerb("Apply", _apply, _ask_apply),
    "retry": ConsoleVerb("Retry now", _retry_one),
    "retry-dead": ConsoleVerb("Retry", _retry_dead),
    "drop-dead": ConsoleVerb("Drop", _drop_dead, _ask_drop_dead),
    "retry-failing": ConsoleVerb("Retry now", _retry_failing),
    "release-held": ConsoleVerb("Release", _release, _ask_release),
    "drop-held": ConsoleVerb("Drop", _drop_held, _ask_drop_held),
    "release-slot": ConsoleVerb("Release", _release_slot, _ask_release_slot),
}
