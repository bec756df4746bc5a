"""One look after the other: what fires for a row of changes, with the policies that remember."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from triggers.base.errors import Usage
from triggers.model import Trigger
from triggers.model.events import Event, milliseconds
from triggers.rules.conditions import evaluate
from triggers.rules.policies import Mark, decide
from triggers.testing.outcome import Declares, named

_MS_PER_MINUTE: Final = 60_000
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Fired:
    """A firing.

    Attributes:
        trigger: name of the trigger.
        object: id of the object.
        occurrence: counts the firings of one trigger for one object, from 1.
    """

    trigger: str
    object: str
    occurrence: int


@dataclass
class Simulation:
    """A scheduler that remembers, so that `fire` and `cooldown_minutes` count. Each `see` is one change.

    Args:
        scheduler: holds the triggers.
    """

    scheduler: Declares
    _marks: dict[tuple[str, str], Mark] = field(default_factory=dict, init=False)
    _last_ms: int = field(default=milliseconds(_START.isoformat()) - 1, init=False)

    def see(self, changed: Event, at: datetime | str | None = None) -> list[Fired]:
        """Show a change; which triggers fire for it.

        Args:
            changed: the object as it is after the change. Its `id` says which object it is.
            at: when it changed, an aware datetime or ISO text; a millisecond after the last change if not given.

        Raises:
            Usage: the time is not after that of the change before; the server's times only go on.
        """
        now_ms = self._last_ms + 1 if at is None else milliseconds(at if isinstance(at, str) else at.isoformat())
        if now_ms <= self._last_ms:
            raise Usage(f"at={at!r}: give a time after that of the change before")
        self._last_ms = now_ms
        changed = replace(changed, changed_ms=now_ms)
        fired = (self._decide(name, trigger, changed) for name, trigger in named(self.scheduler).items())
        return [one for one in fired if one]

    def wait(self, **duration: float) -> None:
        """Let time pass until the next change.

        Args:
            duration: what `timedelta` takes, such as minutes=5.
        """
        self._last_ms += timedelta(**duration) // timedelta(milliseconds=1) - 1

    def _decide(self, name: str, trigger: Trigger, changed: Event) -> Fired | None:
        policy, pair = trigger.policy, (trigger.id, changed.id)
        decision = decide(
            policy.fire,
            int(policy.cooldown_minutes * _MS_PER_MINUTE),
            self._marks.get(pair, Mark()),
            matched=evaluate(trigger, changed).matched,
            changed_ms=changed.changed_ms,
        )
        self._marks[pair] = decision.mark
        return None if decision.occurrence is None else Fired(name, changed.id, decision.occurrence)
