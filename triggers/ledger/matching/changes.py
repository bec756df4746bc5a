"""What one decision about an object changes: its mark, and perhaps a firing that is granted. Values alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triggers.base.formats import KNOWN
from triggers.ledger.firings.firing import SIGNATURE, firing_key, signed_parts
from triggers.ledger.firings.parts import PARTS, PartGrant, parts_of, resolving_parts, to_text
from triggers.ledger.signing import Signer
from triggers.model import Trigger
from triggers.model.action import Lane
from triggers.model.events import Event
from triggers.rules.policies import Mark


@dataclass(frozen=True, slots=True)
class Grant:
    """A firing to be created: everything but what the script adds (state, grant time)."""

    key: str
    trigger: str
    kind: str
    object: str
    occurrence: int
    changed_ms: int
    polled_ms: int
    event: str
    lane: Lane
    parts: tuple[PartGrant, ...] = ()
    action: str = ""  # of a part: which it is (`model.parts.mark_of`)

    def fields(self, signer: Signer) -> list[str]:
        """The fields of the firing's hash, flat, as texts."""
        values = {
            "v": KNOWN["firing"],
            "key": self.key,
            "trigger": self.trigger,
            "kind": self.kind,
            "object": self.object,
            "occurrence": self.occurrence,
            "changed_ms": self.changed_ms,
            "polled_ms": self.polled_ms,
            "event": self.event,
            "lane": self.lane,
        }
        texts = {name: str(value) for name, value in values.items()}
        if signer.has_key:
            texts[SIGNATURE] = signer.sign("firing", *signed_parts(texts))
        if self.parts:
            texts[PARTS] = to_text(self.parts, texts, signer)
        if self.action:
            texts["action"] = self.action
        return [text for pair in texts.items() for text in pair]


@dataclass(frozen=True, slots=True)
class MarkChange:
    """What one decision changes: a mark from `expected` to `mark` (texts), and perhaps a firing granted.

    `transitions`: the trigger has to see the condition become false, also when no index leads to it.
    """

    trigger: str
    object: str
    expected: str
    mark: str
    grant: Grant | None
    transitions: bool = False


def change_of(
    scheduler: str,
    trigger: Trigger,
    event: Event,
    before: Mark,
    after: Mark,
    occurrence: int | None,
    polled_ms: int = 0,
) -> MarkChange:
    """What a decision about one object changes. Every firing there is, matched or asked for by people, begins here.

    Args:
        scheduler: its id.
        trigger: whose mark it is.
        event: the object.
        before: the mark that was read.
        after: the mark from now on.
        occurrence: the one that is granted, None for no firing.
        polled_ms: when the change was read; 0 for when it was made.
    """
    grant = None
    if occurrence is not None:
        key = firing_key(scheduler, trigger.id, event.id, occurrence)
        grant = _grant(key, trigger, event, occurrence, polled_ms, trigger.action.lane)
        grant = replace(grant, parts=parts_of(trigger, key))
    elif trigger.on_resolved and before.active and not after.active:
        first, *others = resolving_parts(trigger, firing_key(scheduler, trigger.id, event.id, before.occurrence))
        grant = _grant(first.key, trigger, event, before.occurrence, polled_ms, first.lane)
        grant = replace(grant, parts=tuple(others), action=first.action)
    return MarkChange(
        trigger.id,
        event.id,
        expected=before.stored,
        mark=after.to_text(),
        grant=grant,
        transitions=trigger.policy.fire == "on_transition",
    )


def _grant(key: str, trigger: Trigger, event: Event, occurrence: int, polled_ms: int, lane: Lane) -> Grant:
    return Grant(
        key=key,
        trigger=trigger.id,
        kind=trigger.kind,
        object=event.id,
        occurrence=occurrence,
        changed_ms=event.changed_ms,
        polled_ms=polled_ms or event.changed_ms,
        event=event.to_json(),
        lane=lane,
    )
