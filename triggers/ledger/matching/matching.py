"""Matching's memory: marks of objects, and the step that turns one batch into firings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from triggers.base.errors import Unreadable
from triggers.base.escaping import shell_words
from triggers.base.formats import KNOWN
from triggers.ledger.firings.firing import SIGNATURE, firing_key, signed_parts
from triggers.ledger.firings.parts import PARTS, PartGrant, parts_of, resolving_parts, to_text
from triggers.ledger.keys import Keys
from triggers.ledger.signing import NO_KEY, Signer
from triggers.ledger.store import Script, ScriptCall, Store
from triggers.model import Trigger
from triggers.model.action import Lane
from triggers.model.events import Event
from triggers.rules.forgetting import Forgotten
from triggers.rules.policies import Mark

COMMIT, IMPORT = Script("match_commit"), Script("import_marks")

#: Marks imported by one script.
IMPORT_AT_ONCE = 1000


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


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the ledger knows of some pairs of triggers and objects.

    Attributes:
        marks: Of each pair, that of an object never seen too; one that cannot be read is left out.
        launchers: Which trigger launched an object, where one has (`Firings.launchers`).
        forgotten: The triggers whose marks of some objects were forgotten.
    """

    marks: dict[tuple[str, str], Mark]
    launchers: dict[str, str]
    forgotten: dict[str, Forgotten]


class Matching:
    """Marks and grants of one scheduler."""

    def __init__(self, store: Store, keys: Keys, *, history_length: int, signer: Signer = NO_KEY) -> None:
        self.store, self.keys, self.history_length, self.signer = store, keys, history_length, signer

    def marks(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Mark]:
        """The marks of (trigger id, object id) pairs; of an object never seen an empty one.

        A mark that cannot be read is left out: whether that object has fired is unknown.
        """
        return self.remembered(pairs).marks

    def remembered(self, pairs: Sequence[tuple[str, str]]) -> Remembered:
        """All that is known of (trigger id, object id) pairs, in one trip."""
        if not pairs:
            return Remembered({}, {}, {})
        by_trigger: dict[str, list[str]] = {}
        for trigger, object_id in pairs:
            by_trigger.setdefault(trigger, []).append(object_id)
        all_objects = list(dict.fromkeys(object_id for _, object_id in pairs))
        with self.store.client.pipeline(transaction=False) as pipe:
            for trigger, objects in by_trigger.items():
                pipe.hmget(self.keys.marks(trigger), objects)
            pipe.hmget(self.keys.launched, all_objects)
            pipe.hmget(self.keys.forgotten, list(by_trigger))
            *found, owners, gone = pipe.execute()
        marks = {}
        for (trigger, objects), texts in zip(by_trigger.items(), found, strict=True):
            for object_id, text in zip(objects, texts, strict=True):
                with suppress(ValueError):
                    marks[trigger, object_id] = Mark.from_text(text or "")
        launchers = {id_: owner for id_, owner in zip(all_objects, owners, strict=True) if owner}
        forgotten = {id_: Forgotten.from_text(text) for id_, text in zip(by_trigger, gone, strict=True) if text}
        return Remembered(marks, launchers, forgotten)

    def mark(self, trigger: str, object_id: str) -> Mark:
        """The mark of one pair.

        Raises:
            Unreadable: the mark is corrupt; the message says what to do.
        """
        found = self.marks([(trigger, object_id)])
        if not found:
            raise Unreadable(
                f"whether trigger {trigger!r} has fired for {object_id} is unknown: its mark cannot be read. Remove "
                f"it (redis-cli HDEL {shell_words(self.keys.marks(trigger), object_id)}), and the object counts as "
                "never seen"
            )
        return found[trigger, object_id]

    def commit(
        self,
        partition: int,
        token: str,
        head: str,
        changes: Iterable[MarkChange],
        undecided: Mapping[str, str] | None = None,
    ) -> int | None:
        """Apply the changes and remove the batch in one step: how many firings were granted.

        Args:
            partition: the partition.
            token: of its lease.
            head: of the batch; "" when there is none, and only undecided events were looked at.
            changes: what was decided.
            undecided: object id → its undecided events from now on, "" for none (`undecided`).

        Returns None when a mark is no longer what was read (a skip released it): decide again.

        Raises:
            Fenced: the partition was taken by another, or the batch is gone; nothing was changed.
        """
        script, names, arguments = self.committing(partition, token, head, changes, undecided)
        granted = self.store.run(script, names, *arguments)
        return None if granted == -1 else int(granted)

    def committing(
        self,
        partition: int,
        token: str,
        head: str,
        changes: Iterable[MarkChange],
        undecided: Mapping[str, str] | None = None,
    ) -> ScriptCall:
        """The call of `commit`, to make it in one trip with others; it answers -1 in place of None."""
        keys = self.keys
        ops = [
            (
                keys.marks(change.trigger),
                change.object,
                change.expected,
                change.mark,
                keys.firing(change.grant.key) if change.grant else "",
                change.grant.key if change.grant else "",
                change.grant.lane if change.grant else "",
                change.grant.fields(self.signer) if change.grant else [],
                keys.active(change.object),
                change.trigger,
                change.transitions,
            )
            for change in changes
        ]
        names = [keys.lease(f"match:{partition}"), keys.batches(partition), keys.ready, keys.history]
        names += [keys.due("dispatch"), keys.due("caller"), keys.fence]
        names += [keys.undecided(partition), keys.undecided_partitions, keys.indexed, keys.due("act")]
        pairs = [part for pair in (undecided or {}).items() for part in pair]
        return COMMIT, names, (token, head, partition, json.dumps(ops), self.history_length, *pairs)

    def object_counts(self, triggers: Sequence[str]) -> list[int]:
        """Of how many objects each trigger remembers anything."""
        with self.store.client.pipeline(transaction=False) as pipe:
            for trigger in triggers:
                pipe.hlen(self.keys.marks(trigger))
            counts: list[Any] = pipe.execute() if triggers else []
        return [int(count) for count in counts]

    def marks_name(self, trigger: str) -> str:
        """Where a trigger's marks lie in Redis, for people."""
        return self.keys.marks(trigger)

    def take_over(self, trigger: str, fired: Mapping[str, int], tasks: Sequence[str], slot: str = "") -> int:
        """Remember what the original fired for, and what it launched; how many objects are new. Idempotent.

        Args:
            trigger: its id.
            fired: object id → time it fired, ms.
            tasks: ids of the ClearML tasks it launched, oldest first.
            slot: the slot that the last of them holds, "" for none.
        """
        objects, new = list(fired.items()), 0
        names = [self.keys.marks(trigger), self.keys.slots, self.keys.launched, self.keys.launched_times]
        holder = f"original {tasks[-1]}" if tasks else ""
        for start in range(0, max(len(objects), len(tasks), 1), IMPORT_AT_ONCE):
            part = slice(start, start + IMPORT_AT_ONCE)
            marks = [text for id_, ms in objects[part] for text in (id_, Mark(1, True, ms, ms).to_text())]
            found = json.dumps({"marks": marks, "tasks": list(tasks[part])})
            new += int(self.store.run(IMPORT, names, trigger, slot if holder else "", holder, found))
        return new
