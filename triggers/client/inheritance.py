"""What a Redis that knows nothing of a scheduler takes over: its own saved state, or what the original left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from triggers.base.logs import logger
from triggers.base.plural import plural
from triggers.base.settings import Settings
from triggers.clearml_api import Api, launches
from triggers.clearml_api.service import Service
from triggers.clearml_api.workspace import latest_ms
from triggers.client.service_task import OriginalState
from triggers.ledger import Ledger
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history.chain import Link
from triggers.ledger.matching.decisions import Marks
from triggers.ledger.registry.registry import Entry, Snapshot
from triggers.model import Trigger
from triggers.model.launch_tags import scheduler_tag
from triggers.model.schedule_fields import SCHEDULE
from triggers.sync import saved_edits
from triggers.sync.configure import shown_in
from triggers.sync.counted_calls import AtLeast, counted
from triggers.sync.originals import Left, read_state, with_launches
from triggers.sync.saved_edits import Kept
from triggers.sync.saved_state import PROPERTY, Saved, newest
from triggers.sync.trust import believed

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
        entries: trigger id → entry that people had made or changed beside the script.
        decided: trigger id → object id → mark of what was dropped or skipped.
        audit: the last line of the audit log.
        calls: month → API calls that were counted, by every scheduler of the Redis that had counted them.
    """

    since_ms: dict[str, int] = field(default_factory=dict)
    paused: tuple[str, ...] = ()
    left: dict[str, Left] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    decided: Marks = field(default_factory=dict)
    audit: Link = field(default_factory=Link)
    calls: dict[str, AtLeast] = field(default_factory=dict)


def look(
    api: Api, scheduler: Scheduler, triggers: Sequence[Trigger], settings: Settings, original: OriginalState | None
) -> Inheritance:
    """Find out what was known of a scheduler before this Redis.

    Args:
        api: the server.
        scheduler: its record.
        triggers: what is declared now.
        settings: how late changes become visible.
        original: what the original left, None when it left nothing.

    Raises:
        Newer: a later release saved the state.
    """
    users = settings.service_users
    services = believed(api, scheduler.id, scheduler.service_task, users, configuration=True)
    now_ms = latest_ms(api, scheduler.service_task)
    states = [one.runtime.get(PROPERTY) for one in services]
    text, saved = newest(states, latest_ms=now_ms + _SKEW_MS)
    if saved is not None:
        stored = next(one for one in services if one.runtime.get(PROPERTY) == text)
        since_ms = saved.since_ms - int(settings.overlap_seconds * 1000)
        before = replace(_going_on(stored, saved, triggers, since_ms), calls=counted(states, now_ms))
        log.warning(
            "this Redis has no data of the scheduler; continuing from the state on ClearML task %s of user %s: %s, and "
            "%s added or changed beside the script",
            stored.id, stored.user, plural(len(before.paused), "paused trigger"),
            plural(len(before.entries), "trigger"),
        )  # fmt: skip
        return before
    launched = bool(launches.find_launches(api, [scheduler_tag(scheduler.id)]))
    if launched or original is None:
        return Inheritance()
    try:
        found = read_state(original.text)
    except ValueError as error:
        log.error("cannot read the original's state; objects that it fired for may fire again: %s", error)
        return Inheritance()
    found = with_launches(found, [t.name for t in triggers if t.kind == SCHEDULE], original.console)
    # several datasets of one project were like-named triggers
    left = {t.id: one for t in triggers if (one := found.get(t.id) or found.get(re.sub(r"-\d+$", "", t.id)))}
    return Inheritance({id_: one.since_ms for id_, one in left.items() if one.since_ms}, left=left)


def _going_on(stored: Service, saved: Saved, triggers: Sequence[Trigger], since_ms: int) -> Inheritance:
    """What the service task keeps of the scheduler, where changes from `since_ms` on may not have been carried out."""
    registry = Kept.from_json(stored.runtime.get(saved_edits.PROPERTY))
    since = {
        trigger.id: saved_edits.counts_from(trigger, registry.known.get(trigger.id, (0, False))[0], since_ms)
        for trigger in triggers
        if trigger.id in shown_in(stored.sections, triggers) or trigger.id in registry.known
    }
    paused = {id_ for id_, (_, is_paused) in registry.known.items() if is_paused}
    entries = registry.restored(triggers, since_ms)
    return Inheritance(
        since, tuple(sorted(paused | {*saved.paused})), {}, entries, saved.decided, Link.from_text(saved.audit)
    )


def take_over(ledger: Ledger, inheritance: Inheritance, triggers: Sequence[Trigger]) -> None:
    """Write down what was fired for and decided before, ahead of any trigger's activity. Idempotent."""
    known = {trigger.id: trigger for trigger in triggers} | {id_: e.trigger for id_, e in inheritance.entries.items()}
    transitions = {id_ for id_, trigger in known.items() if trigger.policy.fire == "on_transition"}
    ledger.decided.restore(inheritance.decided, transitions)
    ledger.audit.go_on_from(inheritance.audit)
    for month, calls in inheritance.calls.items():
        ledger.calls.restore(month, *calls)
    for trigger in triggers:
        left = inheritance.left.get(trigger.id)
        if left is not None:
            slot = trigger.id if trigger.policy.single_instance else ""
            new = ledger.matching.take_over(trigger.id, left.fired, left.tasks, slot)
            count = plural(new, "object that the original fired for is", "objects that the original fired for are")
            log.info("trigger %r: %s known", trigger.name, count)


def pause(ledger: Ledger, inheritance: Inheritance) -> None:
    """Pause again what was paused."""
    if not inheritance.paused:
        return

    def decide(known: Snapshot, version: int) -> dict[str, Entry | None]:  # noqa: ARG001
        entries = [known.entries[id_] for id_ in inheritance.paused if id_ in known.entries]
        return {entry.trigger.id: replace(entry, paused=True) for entry in entries if not entry.paused}

    ledger.registry.edit(decide)
