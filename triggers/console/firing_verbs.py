"""What people change of firings and slots from a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from triggers.base.errors import Usage
from triggers.base.plural import plural
from triggers.console.pages.firing import firing_of
from triggers.console.request import Asked
from triggers.console.verb import ConsoleVerb, Question
from triggers.ledger.firings.firing import Firing
from triggers.operate import selection, waiting


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


def _slots(asked: Asked) -> list[str]:
    chosen = asked.form.get("slot", [])
    if not chosen:
        raise Usage("choose a slot first")
    return chosen


def _release_slot(asked: Asked) -> str:
    """Free slots one by one: the first that is refused ends it, and the message names it."""
    words = []
    for slot in _slots(asked):
        done = waiting.release_slot(asked.scheduler.target, slot, force=bool(asked.given("force")))
        words.append(f"Released slot {slot}." if done else f"Another firing took slot {slot} meanwhile; it keeps it.")
    return " ".join(words)


def _ask_release_slot(asked: Asked) -> Question:
    chosen = _slots(asked)
    words = "Release this slot" if len(chosen) == 1 else "Release these slots"
    words += " even while its ClearML task runs? Two may run at once then." if asked.given("force") else "?"
    return Question(words, tuple(chosen))


def _retry_one(asked: Asked) -> str:
    firing = firing_of(asked)
    if firing.state == "dead":
        count = waiting.retry_dead(asked.scheduler.target, [firing])
    else:
        found = [one for one in asked.scheduler.target.ledger.retrying.failing() if one.key == firing.key]
        count = waiting.retry_failing(asked.scheduler.target, found)
    return "The firing will be retried now." if count else "The firing is no longer dead or failing."


VERBS: Final[dict[str, ConsoleVerb]] = {
    "retry": ConsoleVerb("Retry now", _retry_one),
    "retry-dead": ConsoleVerb("Retry", _retry_dead),
    "drop-dead": ConsoleVerb("Drop", _drop_dead, _ask_drop_dead),
    "retry-failing": ConsoleVerb("Retry now", _retry_failing),
    "release-held": ConsoleVerb("Release", _release, _ask_release),
    "drop-held": ConsoleVerb("Drop", _drop_held, _ask_drop_held),
    "release-slot": ConsoleVerb("Release", _release_slot, _ask_release_slot),
}
