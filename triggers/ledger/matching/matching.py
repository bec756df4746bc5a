"""Matching's memory: marks of objects, and the step that turns one batch into firings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from triggers.base.errors import Unreadable
from triggers.base.escaping import shell_words
from triggers.ledger.keys import Keys
from triggers.ledger.matching.changes import MarkChange
from triggers.ledger.signing import NO_KEY, Signer
from triggers.ledger.store import Script, ScriptCall, Store
from triggers.rules.forgetting import Forgotten
from triggers.rules.policies import Mark

COMMIT, IMPORT = Script("match_commit"), Script("import_marks")

#: Marks imported by one script.
IMPORT_AT_ONCE = 1000


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
