"""What a turn of sync looks at first, found in one trip: at rest nothing of it has changed, and the turn ends there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triggers.ledger import clock
from triggers.ledger.keys import Keys
from triggers.ledger.polling.reading import Cursor
from triggers.ledger.polling.service_watch import SeenServiceTask
from triggers.ledger.store import Store
from triggers.model.action import LANES


@dataclass(frozen=True, slots=True)
class SyncLook:
    """One scheduler at one time.

    Attributes:
        now_ms: That time, by the ledger's clock.
        registry_version: Of the registry.
        newest: Id of the newest entry of the history, "" without any.
        plans: By source, the registry version under which everything was read last.
        holds: The holds that have firings.
        has_dead: There are dead letters.
        has_due: Firings are under way, and may have failed.
        alarms: The names of those that are set.
        fields: What sync remembers.
        service: The scheduler's service tasks, as polls have seen them.
    """

    now_ms: int
    registry_version: int
    newest: str
    plans: Mapping[str, int]
    holds: Sequence[str]
    has_dead: bool
    has_due: bool
    alarms: frozenset[str]
    fields: Mapping[str, str]
    service: SeenServiceTask


def look(store: Store, keys: Keys, sources: Sequence[str], fields: Sequence[str]) -> SyncLook:
    """Look at all of it, by one trip."""
    with store.client.pipeline(transaction=False) as pipe:
        clock.ask(pipe, keys)
        pipe.get(keys.registry_version)
        pipe.xrevrange(keys.history, "+", "-", 1)
        pipe.smembers(keys.holds)
        pipe.hkeys(keys.alarms)
        pipe.hmget(keys.sync, [*fields])
        pipe.hgetall(keys.service_watch)
        for name in (keys.dead, *map(keys.due, LANES)):
            pipe.exists(name)
        for source in sources:
            pipe.hgetall(keys.cursor(source))
        time, known, version, newest, holds, alarms, texts, service, dead, *rest = pipe.execute()
    due, cursors = rest[: len(LANES)], rest[len(LANES) :]
    now_ms, _ = clock.made_of(time, known)
    return SyncLook(
        now_ms=now_ms,
        registry_version=int(version or 0),
        newest=str(newest[0][0]) if newest else "",
        plans={source: Cursor.of(found).plan for source, found in zip(sources, cursors, strict=True)},
        holds=sorted(holds),
        has_dead=bool(dead),
        has_due=any(due),
        alarms=frozenset(alarms),
        fields={name: text or "" for name, text in zip(fields, texts, strict=True)},
        service=SeenServiceTask.of(service, now_ms),
    )
