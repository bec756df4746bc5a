"""What a turn of notify looks at, found in one trip: at rest there is nothing to report, and the turn ends there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triggers.base import forms
from triggers.ledger import clock
from triggers.ledger.firings.waiting import Line, first_ms, line_key
from triggers.ledger.history.history import alarms_of
from triggers.ledger.keys import Keys
from triggers.ledger.operating.mutes import muted_at
from triggers.ledger.store import Store


@dataclass(frozen=True, slots=True)
class NotifyLook:
    """One scheduler at one time.

    Attributes:
        now_ms: That time, by the ledger's clock.
        registry_version: Of the registry.
        next_poll_ms: When the next poll is due; 0 when none was ever made.
        oldest_ms: By line, when the first of it was due; None where nothing waits.
        newest: Id of the newest entry of the history, "" without any.
        muted: The triggers that are muted.
        alarms: Those that are set: name → text and since_ms.
        fields: What notify remembers.
    """

    now_ms: int
    registry_version: int
    next_poll_ms: int
    oldest_ms: Mapping[Line, int | None]
    newest: str
    muted: frozenset[str]
    alarms: Mapping[str, Mapping[str, Any]]
    fields: Mapping[str, str]


def look(store: Store, keys: Keys, lines: Sequence[Line], fields: Sequence[str]) -> NotifyLook:
    """Look at all of it, by one trip."""
    with store.client.pipeline(transaction=False) as pipe:
        clock.ask(pipe, keys)
        pipe.get(keys.registry_version)
        pipe.get(keys.next_poll)
        pipe.xrevrange(keys.history, "+", "-", 1)
        pipe.hgetall(keys.mutes)
        pipe.hgetall(keys.alarms)
        pipe.hmget(keys.notices, [*fields])
        for line in lines:
            pipe.zrange(line_key(keys, line), 0, 0, withscores=True)
        time, known, version, poll, newest, mutes, alarms, texts, *firsts = pipe.execute()
    now_ms, _ = clock.made_of(time, known)
    return NotifyLook(
        now_ms=now_ms,
        registry_version=int(version or 0),
        next_poll_ms=forms.number(poll),
        oldest_ms={line: first_ms(first) for line, first in zip(lines, firsts, strict=True)},
        newest=str(newest[0][0]) if newest else "",
        muted=frozenset(muted_at(mutes, now_ms)),
        alarms=alarms_of(alarms),
        fields={name: text or "" for name, text in zip(fields, texts, strict=True)},
    )
