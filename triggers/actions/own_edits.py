"""Edits of the object that fired: announced before they are made, so that they never fire the trigger they are of.

A process may die before the edit, after it, or before what came of it is recorded: the next attempt looks at the object
and settles what was announced. A person's edit that comes in between makes the object another than announced: it fires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from triggers import sources

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.model.events import Event


#: How long an edit waits for polls to read what somebody else has changed in between, and between two looks, seconds.
#: Changes that no trigger can concern are never read.
PATIENCE_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 2.0


class NotReadYet(Exception):
    """Somebody has changed the object since it fired, and no poll has read that: the edit waits until one has."""


def settle(attempt: Attempt, ignoring: frozenset[str] = frozenset()) -> None:
    """Record what came of an edit that an earlier attempt has announced, if one has. Call it before the next edit."""
    if attempt.firing.editing:
        _settle(attempt, ignoring)


@contextmanager
def editing(
    attempt: Attempt,
    foreseen: Callable[[Event], Event] = lambda event: event,
    ignoring: frozenset[str] = frozenset(),
) -> Iterator[None]:
    """Make an edit of the object that fired in the body, by one call.

    A trigger that fires once for each object fires for no edit of what it has fired for: nothing is announced then. A
    trial may edit what never fired.

    Args:
        attempt: whose action it is.
        foreseen: the object as it will be, from the object as it is, as far as conditions look at it.
        ignoring: fields of events that the edit changes, to nobody knows what.

    Raises:
        NotReadYet: come again a little later; nothing was done.
        ServerUnavailable, Refused: the object cannot be read.
    """
    if attempt.trigger.policy.fire == "once" and not attempt.is_trial:
        yield
        return
    before, announced = _read(attempt), False
    if before is not None:
        ledger, source = attempt.ctx.ledger, sources.of_kind(attempt.trigger.kind).name
        # a person chooses the object of a trial: its last change may be one that no poll has read
        read_to_ms = ledger.reading.cursor(source).read_to_ms if attempt.is_trial else None
        announced = ledger.edits.announce(attempt.firing, source, before, foreseen(before), ignoring, read_to_ms)
        waited_ms = ledger.now_ms() - attempt.firing.granted_ms
        if not announced and waited_ms < 1000 * PATIENCE_SECONDS:
            raise NotReadYet("the object has changed since it fired: waiting until polls have read the change")
    yield
    if announced:
        _settle(attempt, ignoring)


def _settle(attempt: Attempt, ignoring: frozenset[str]) -> None:
    after = _read(attempt)
    if after is not None:
        attempt.ctx.ledger.edits.settle(attempt.firing, after, ignoring)


def _read(attempt: Attempt) -> Event | None:
    """The object as polls read it."""
    source, trigger = sources.of_kind(attempt.trigger.kind), attempt.trigger
    found = source.look_up(attempt.ctx.api, source.needs([trigger]), [attempt.firing.object])
    return found[0] if found else None
