"""Triggers that undo each other: one adds a tag that another removes, for objects that both can fire for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from triggers.model import Trigger
from triggers.model.kinds import KINDS
from triggers.model.parts import all_parts


@dataclass(frozen=True, slots=True)
class Undoing:
    """What one trigger adds, another removes. `endless`: both fire again for one object, so that it never ends."""

    adds: str
    removes: str
    tags: tuple[str, ...]
    endless: bool

    @property
    def words(self) -> str:
        """What happens."""
        tags = ", ".join(map(repr, self.tags))
        often = ", for as long as both fire for an object" if self.endless else ""
        return f"trigger {self.removes!r} removes {tags}, which trigger {self.adds!r} adds{often}"


def undoing(triggers: Sequence[Trigger]) -> Iterator[Undoing]:
    """Find the pairs of triggers of which one removes what the other adds."""
    changes = {trigger.id: _tags(trigger) for trigger in triggers}
    for one, other in permutations((trigger for trigger in triggers if any(changes[trigger.id])), 2):
        both = changes[one.id][0] & changes[other.id][1]
        if both and _meet(one, other):
            endless = one.policy.fire != "once" and other.policy.fire != "once"
            yield Undoing(one.name, other.name, tuple(sorted(both)), endless)


def _tags(trigger: Trigger) -> tuple[frozenset[str], frozenset[str]]:
    """The tags that its actions add to the object that fires it, and those that they remove."""
    changes = [action.tag_changes for _, action in all_parts(trigger)]
    return frozenset().union(*(add for add, _ in changes)), frozenset().union(*(remove for _, remove in changes))


def _meet(one: Trigger, other: Trigger) -> bool:
    """Whether both can fire for one object: by kind, project, and tags that one wants and the other excludes."""
    if one.kind != other.kind and one.kind not in KINDS[other.kind].also and other.kind not in KINDS[one.kind].also:
        return False
    projects = {trigger.trigger_project for trigger in (one, other)} - {None}
    return len(projects) < 2
