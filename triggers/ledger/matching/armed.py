"""Armed: by object, which `on_transition` triggers have to see their condition become false, where no index leads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

from triggers.ledger.keys import Keys
from triggers.ledger.polling.batches import partition_of
from triggers.ledger.store import Store
from triggers.rules.policies import Mark

#: Marks read in one request.
_AT_ONCE = 1000


class Armed:
    """The active marks of one scheduler's `on_transition` triggers, by object."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def of(self, object_ids: Sequence[str]) -> dict[str, set[str]]:
        """The `on_transition` triggers whose condition was last seen true, by object."""
        with self.store.client.pipeline(transaction=False) as pipe:
            for object_id in object_ids:
                pipe.smembers(self.keys.active(object_id))
            found: list[Any] = pipe.execute() if object_ids else []
        return {object_id: members for object_id, members in zip(object_ids, found, strict=True) if members}

    def or_soon(self, object_ids: Sequence[str], triggers: Collection[str]) -> set[str]:
        """The objects that some of these triggers are armed for, or may be once what waits for match is decided.

        All is read in one step, since match arms a trigger in the step in which its event stops waiting. Who polls is
        the only one to store events meanwhile.
        """
        keys = self.keys
        with self.store.client.pipeline(transaction=True) as pipe:
            pipe.hget(keys.epoch, "partitions")
            pipe.zrange(keys.ready, 0, -1)
            pipe.smembers(keys.undecided_partitions)
            for object_id in object_ids:
                pipe.smembers(keys.active(object_id))
            number, ready, undecided, *found = pipe.execute()
        waiting = {*ready, *undecided}
        wanted, known = frozenset(triggers), int(number) if number and str(number).isdigit() else 0

        def waits(object_id: str) -> bool:
            return bool(waiting) and (not known or str(partition_of(object_id, known)) in waiting)

        return {id_ for id_, members in zip(object_ids, found, strict=True) if members & wanted or waits(id_)}

    def index(self, wanted: Iterable[str], others: Iterable[str]) -> None:
        """Let `of` know all marks of these triggers, and forget that it knows those of the others.

        A trigger that was edited to `on_transition` has marks that nobody has entered. Cut off, it begins anew.
        """
        client, name = self.store.client, self.keys.indexed
        known: Any = client.hgetall(name)
        stale = [id_ for id_ in others if id_ in known]
        if stale:
            client.hdel(name, *stale)
        for id_ in wanted:
            if known.get(id_) != "done":
                client.hset(name, id_, "begun")  # from here on `match_commit.lua` enters what is new
                for object_id, text in client.hscan_iter(self.keys.marks(id_), count=_AT_ONCE):
                    with suppress(ValueError):
                        if Mark.from_text(text).active:
                            client.sadd(self.keys.active(object_id), id_)
                client.hset(name, id_, "done")
