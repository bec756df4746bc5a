"""Trying a trigger's actions on an object: marked as a trial, recorded, and granting nothing."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from triggers.base.errors import Usage
from triggers.ledger.firings.firing import Firing, firing_key
from triggers.ledger.matching.changes import Grant
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger
from triggers.model.action import DeclaredAction
from triggers.model.events import Event
from triggers.model.parts import all_parts, list_of, mark_of, trial_key
from triggers.operate.objects import read_object, unknown
from triggers.operate.target import Target
from triggers.operate.wording import number, other_kind

#: How often the outcome is looked for, seconds.
LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Trial:
    """One action that is tried: the key of its firing, and which action it is."""

    key: str
    part: str
    action: DeclaredAction


def chosen(trigger: Trigger, wanted: str | None) -> list[tuple[str, DeclaredAction]]:
    """The actions that are meant: one by its number, or all of `actions`. Launches and functions are for `fire`.

    Raises:
        Usage: there is no such action, or it launches or calls something.
    """
    found = list(all_parts(trigger))
    if wanted is None:
        listed = [(part, action) for part, action in found if list_of(part) == "actions" and not action.WAYS]
        if not listed:
            raise Usage(f"{trigger.called} has no actions to try; `clearml-triggers fire` launches it by hand")
        return listed
    for part, action in found:
        if wanted == number(part):
            if action.WAYS:
                raise Usage(f"action {wanted} of {trigger.name!r} would {action.words()}: `clearml-triggers fire` does")
            return [(part, action)]
    numbers = ", ".join(number(part) for part, _ in found)
    raise Usage(f"{trigger.called} has no action {wanted!r}: it has {numbers}")


def send(target: Target, entry: Entry, object_id: str, wanted: str | None = None) -> tuple[list[Trial], Event]:
    """Have workers carry out actions of a trigger for an object as it is now; each once, without retries.

    Raises:
        Usage: no such object or action.
    """
    trigger, ledger = entry.trigger, target.ledger
    event = read_object(target.api, [trigger], object_id, trigger.kind)
    if event is None:
        raise Usage(unknown(trigger, object_id))
    if not event.concerns(trigger.kind):
        raise Usage(other_kind(trigger, event))
    parts = chosen(trigger, wanted)
    ledger.registry.require_key()
    nonce, first = secrets.token_hex(4), firing_key(ledger.scheduler, trigger.id, event.id, 0)
    trials = [Trial(trial_key(first, part, nonce), part, action) for part, action in parts]
    with ledger.audit.change("send", trigger=trigger.name, object=event.id) as came:
        for trial in trials:
            ledger.by_hand.try_out(_grant(trigger, event, trial), "by hand")
        came["trials"] = [trial.key for trial in trials]
    return trials, event


def _grant(trigger: Trigger, event: Event, trial: Trial) -> Grant:
    return Grant(
        key=trial.key,
        trigger=trigger.id,
        kind=trigger.kind,
        object=event.id,
        occurrence=0,
        changed_ms=event.changed_ms,
        polled_ms=event.changed_ms,
        event=event.to_json(),
        lane=trial.action.lane,
        action=mark_of(trial.action),
    )


def outcomes(target: Target, trials: Sequence[Trial], seconds: float) -> dict[str, Firing]:
    """What became of trials, by their keys; those that have not ended after so long are absent."""
    deadline, ended = time.monotonic() + seconds, dict[str, Firing]()
    while True:
        for trial in trials:
            firing = target.ledger.firings.get(trial.key) if trial.key not in ended else None
            if firing and firing.state not in ("waiting", "held"):
                ended[trial.key] = firing
        if len(ended) == len(trials) or time.monotonic() >= deadline:
            return ended
        time.sleep(LOOK_SECONDS)
