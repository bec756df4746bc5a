"""Triggers that undo each other: one adds a tag that another removes, for objects that both edit. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Final

from triggers.model import Trigger
from triggers.model.kinds import KINDS
from triggers.model.parts import all_parts

_WORDS: Final = {
    "tag": "trigger {undoes!r} removes {names}, which trigger {does!r} adds",
    "archive": "trigger {undoes!r} takes objects out of the archive, into which trigger {does!r} puts them",
    "queue": "trigger {undoes!r} takes ClearML tasks out of the queue, into which trigger {does!r} puts them",
    "metadata": "trigger {undoes!r} writes another value than trigger {does!r} into metadata {names}",
}


@dataclass(frozen=True, slots=True)
class Undoing:
    """What one trigger does, another undoes. `endless`: both fire again for one object, so that it never ends."""

    does: str
    undoes: str
    matter: str
    names: tuple[str, ...]
    endless: bool

    @property
    def words(self) -> str:
        """What happens."""
        said = _WORDS[self.matter].format(does=self.does, undoes=self.undoes, names=", ".join(map(repr, self.names)))
        return f"{said}, for as long as both fire for an object" if self.endless else said


@dataclass(frozen=True, slots=True)
class _Edit:
    """That a trigger edits the object that fires it, or the ClearML task that it launches."""

    trigger: Trigger
    launched: bool


def undoing(triggers: Sequence[Trigger]) -> Iterator[Undoing]:
    """Find the pairs of triggers of which one undoes what the other does to the same object."""
    found = dict[tuple[str, str, bool], tuple[_Edit, _Edit, dict[str, list[str]]]]()
    for (matter, name), outcomes in sorted(_edits(triggers).items()):
        for (outcome, done), (_, undone) in permutations(outcomes.items(), 2):
            # of two values of metadata neither is the one that is undone: they are reported once
            any_order = matter == "metadata"
            for one, other in product(done, undone) if any_order or outcome == "yes" else ():
                if _meet(one, other) and (not any_order or one.trigger.id < other.trigger.id):
                    key = (one.trigger.id, other.trigger.id, one.launched or other.launched)
                    found.setdefault(key, (one, other, {}))[2].setdefault(matter, []).append(name)
    for one, other, matters in found.values():
        for matter, names in matters.items():
            yield Undoing(one.trigger.name, other.trigger.name, matter, tuple(names), _is_endless(one, other))


def _edits(triggers: Sequence[Trigger]) -> dict[tuple[str, str], dict[str, list[_Edit]]]:
    """By matter and name, then by outcome, who edits so."""
    found: dict[tuple[str, str], dict[str, list[_Edit]]] = {}
    for trigger in triggers:
        for effect, launched in {(e, not a.edits_object) for _, a in all_parts(trigger) for e in a.effects}:
            outcomes = found.setdefault((effect.matter, effect.name), {})
            outcomes.setdefault(effect.outcome, []).append(_Edit(trigger, launched))
    return found


def _is_endless(one: _Edit, other: _Edit) -> bool:
    """Whether it goes on; what was launched is edited once."""
    fires_once = "once" in (one.trigger.policy.fire, other.trigger.policy.fire)
    return not (fires_once or one.launched or other.launched)


def _meet(one: _Edit, other: _Edit) -> bool:
    """Whether they can be about one object."""
    if one.trigger.id == other.trigger.id or (one.launched and other.launched):
        return False
    if one.launched:
        return _fires_for_launches(other.trigger, one.trigger)
    if other.launched:
        return _fires_for_launches(one.trigger, other.trigger)
    return _fire_together(one.trigger, other.trigger)


def _fire_together(one: Trigger, other: Trigger) -> bool:
    """Whether both can fire for one object, by kind and project."""
    if one.kind != other.kind and one.kind not in KINDS[other.kind].also and other.kind not in KINDS[one.kind].also:
        return False
    projects = {trigger.trigger_project for trigger in (one, other)} - {None}
    return len(projects) < 2


def _fires_for_launches(one: Trigger, other: Trigger) -> bool:
    """Whether one can fire for what the other launches; where that lies is known by its target project alone."""
    if one.kind != "task" or not other.action.launches:
        return False
    project = next((need.name for need in other.action.needs() if need.what == "project"), "")
    return one.trigger_project in (None, project)
