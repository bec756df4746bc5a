"""A trigger's own edits of the objects that fire it: announced before they are made, settled by what is read then.

What is kept of a trigger and an object: `<from ms> <till ms> <firing> <digest>`. Changes after `from` up to `till` are
the trigger's own; an announced edit, that of the firing, is one that nobody has seen the outcome of yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from triggers.ledger import clock
from triggers.ledger.firings.firing import Firing
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store
from triggers.model.events import Event

ANNOUNCE, SETTLE = Script("edit_announce"), Script("edit_settle")

#: Polls read nothing any more that has changed so long ago, ms.
KEPT_MS: Final = 7 * 86_400_000

OwnEdit = Literal["own", "other", "undecided"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a trigger's own edits of one object."""

    from_ms: int
    till_ms: int
    firing: str  # whose edit is announced and not settled; "-" for none

    def judge(self, changed_ms: int, state: str) -> OwnEdit:
        """Whether a change is the trigger's own; `state`: of the firing whose edit is announced, "" if unknown."""
        if self.from_ms < changed_ms <= self.till_ms:
            return "own"
        if changed_ms > self.till_ms and self.firing != "-" and state in ("waiting", "held"):
            return "undecided"
        return "other"


def digest_of(event: Event, ignoring: Iterable[str] = ()) -> str:
    """What an object is known by apart from when, and by whom, it was changed, and from some fields."""
    plain = replace(
        event, changed_ms=0, users=(), tags=tuple(sorted(event.tags)), system_tags=tuple(sorted(event.system_tags))
    )
    empty = Event(event.kind, event.id, 0)
    plain = replace(plain, **{name: getattr(empty, name) for name in ignoring})
    return hashlib.sha256(plain.to_json().encode()).hexdigest()[:16]


class Edits:
    """The own edits of one scheduler's triggers."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def announce(
        self,
        firing: Firing,
        source: str,
        before: Event,
        foreseen: Event,
        ignoring: Iterable[str] = (),
        read_to_ms: int | None = None,
    ) -> bool:
        """Say that the object will be edited; False where it has changed since and no poll has read that.

        `ignoring`: fields that the edit changes to nobody knows what. `read_to_ms`: up to which change of it polls have
        read, where the caller knows that; the change that fired if not given.
        """
        read_to_ms = firing.changed_ms if read_to_ms is None else read_to_ms
        keys = self.keys
        names = [keys.firing(firing.key), keys.edits, keys.edit_times, keys.marks(firing.trigger), keys.seen(source)]
        field, digest = _field(firing.trigger, before.id), digest_of(foreseen, ignoring)
        arguments = (firing.lease, field, firing.key, before.changed_ms, read_to_ms, digest, before.id)
        return bool(self.store.run(ANNOUNCE, names, *arguments))

    def settle(self, firing: Firing, after: Event, ignoring: Iterable[str] = ()) -> bool:
        """Say what came of it; False where somebody else has changed the object as well."""
        names = [self.keys.firing(firing.key), self.keys.edits]
        field, digest = _field(firing.trigger, after.id), digest_of(after, ignoring)
        arguments = (firing.lease, field, firing.key, after.changed_ms, digest)
        return bool(self.store.run(SETTLE, names, *arguments))

    def judge_each(self, pairs: Sequence[tuple[str, str, int]]) -> list[OwnEdit]:
        """Judge changes (trigger id, object id, ms) of triggers that edit what fires them."""
        if not pairs:
            return []
        texts: Any = self.store.client.hmget(self.keys.edits, [_field(trigger, id_) for trigger, id_, _ in pairs])
        known = [_known(text) for text in texts]
        open_ = sorted({one.firing for one in known if one and one.firing != "-"})
        with self.store.client.pipeline(transaction=False) as pipe:
            for key in open_:
                pipe.hget(self.keys.firing(key), "state")
            states = dict(zip(open_, pipe.execute() if open_ else [], strict=True))
        return [
            one.judge(changed_ms, states.get(one.firing) or "") if one else "other"
            for one, (_, _, changed_ms) in zip(known, pairs, strict=True)
        ]

    def forget(self, limit: int = 1000) -> int:
        """Forget edits so old that no poll reads them; how many."""
        client, times = self.store.client, self.keys.edit_times
        before_ms = clock.now_ms(client, self.keys) - KEPT_MS
        old: Any = client.zrangebyscore(times, "-inf", before_ms, 0, limit)
        if old:
            with client.pipeline() as pipe:
                pipe.hdel(self.keys.edits, *old)
                pipe.zrem(times, *old)
                pipe.execute()
        return len(old)


def _field(trigger: str, object_id: str) -> str:
    return f"{object_id} {trigger}"


def _known(text: str | None) -> Known | None:
    parts = (text or "").split(" ")
    if len(parts) != 4 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return Known(int(parts[0]), int(parts[1]), parts[2])
