"""What a Redis that knows nothing of a scheduler takes over: its own saved state, or what the original left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from triggers.clearml_api import Api, launches, server_now_ms
from triggers.ledger import Ledger
from triggers.ledger.registry import Entry, Snapshot
from triggers.ledger.schedulers import Scheduler
from triggers.logs import logger
from triggers.marks import scheduler_mark
from triggers.settings import Settings
from triggers.spec import Trigger
from triggers.sync.belief import believed
from triggers.sync.configure import read_stored
from triggers.sync.originals import Left, read_state
from triggers.sync.saved import PROPERTY, newest

log = logger(__name__)

#: How far clocks of the server's replicas differ at most, ms.
_SKEW_MS: Final = 60_000


@dataclass(frozen=True)
class Inheritance:
    """What was known before.

    Args:
        since_ms: trigger id → time from which its changes count.
        paused: ids of triggers that were paused.
        left: trigger id → what the original fired for and launched.
    """

    since_ms: dict[str, int] = field(default_factory=dict)
    paused: tuple[str, ...] = ()
    left: dict[str, Left] = field(default_factory=dict)


def look(
    api: Api, scheduler: Scheduler, triggers: Sequence[Trigger], settings: Settings, original: str | None
) -> Inheritance:
    """Find out what was known of a scheduler before this Redis.

    Args:
        api: the server.
        scheduler: its record.
        triggers: what is declared now.
        settings: how late changes become visible.
        original: text of the original's state, None when there is none.

    Raises:
        Newer: a later release saved the state.
    """
    users = settings.service_users
    services = believed(api, scheduler.id, scheduler.service_task, users, configuration=True)
    latest_ms = server_now_ms(api) + _SKEW_MS
    text, saved = newest((one.runtime.get(PROPERTY) for one in services), latest_ms=latest_ms)
    if saved is not None:
        stored = next(one for one in services if one.runtime.get(PROPERTY) == text)
        known = {trigger.id for trigger in read_stored(stored.sections, [])[0]}
        since_ms = saved.since_ms - int(settings.overlap_seconds * 1000)
        since = {trigger.id: since_ms for trigger in triggers if trigger.id in known}
        log.warning(
            "this Redis knows nothing of the scheduler; going on from the state on ClearML task %s of user %s, by "
            "which %d triggers are paused",
            stored.id, stored.user, len(saved.paused),
        )  # fmt: skip
        return Inheritance(since, saved.paused)
    launched = bool(launches.find_launches(api, [scheduler_mark(scheduler.id)]))
    if launched or original is None:
        return Inheritance()
    try:
        found = read_state(original)
    except ValueError as error:
        log.error("the original's state cannot be read, so that what it fired for may fire again: %s", error)
        return Inheritance()
    # several datasets of one project were like-named triggers
    left = {t.id: one for t in triggers if (one := found.get(t.id) or found.get(re.sub(r"-\d+$", "", t.id)))}
    return Inheritance({id_: one.since_ms for id_, one in left.items() if one.since_ms}, left=left)


def take_over(ledger: Ledger, inheritance: Inheritance, triggers: Sequence[Trigger]) -> None:
    """Write down what the original fired for, before any trigger is active. Idempotent."""
    for trigger in triggers:
        left = inheritance.left.get(trigger.id)
        if left is not None:
            slot = trigger.id if trigger.policy.single_instance else ""
            new = ledger.matching.take_over(trigger.id, left.fired, left.tasks, slot)
            log.info("trigger %r: %d objects that the original fired for are known", trigger.name, new)


def pause(ledger: Ledger, inheritance: Inheritance) -> None:
    """Pause again what was paused."""
    if not inheritance.paused:
        return

    def decide(known: Snapshot, version: int) -> dict[str, Entry | None]:  # noqa: ARG001
        entries = [known.entries[id_] for id_ in inheritance.paused if id_ in known.entries]
        return {entry.trigger.id: replace(entry, paused=True) for entry in entries if not entry.paused}

    ledger.registry.edit(decide)
