"""How attempts end: by whatever goes wrong, each for itself; as launched, several in one trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import redis

from triggers.actions.attempt import Attempt
from triggers.actions.own_edits import LOOK_SECONDS, NotReadYet
from triggers.base.errors import Fenced, Newer, Permanent, Refused, ServerBusy, Transient, Unreadable
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger.firings.firing import Firing
from triggers.ledger.store import ScriptCall
from triggers.model.action import Lane

log = logger(__name__)

#: When to look again at a firing that this release cannot carry out, seconds.
UNREAD_SECONDS = 5.0

#: Refusals that may be over the next time: keys being exchanged, too many requests, the server starting up.
PASSING_CODES = frozenset({401, 408, 425, 429})


class Unwritten:
    """Launched attempts of one lane whose end is not in the ledger yet: it goes there with the next claim.

    Whoever dies in between leaves them as if it had died before it wrote them: the next attempt settles what is
    recorded. What is left at the end of the body is written then.
    """

    def __init__(self, ctx: Context, lane: Lane) -> None:
        self.ctx, self.lane = ctx, lane
        self._attempts: list[Attempt] = []

    def add(self, attempts: Sequence[Attempt]) -> None:
        """They were launched, as what they have recorded."""
        for attempt in attempts:
            attempt.done = True
        self._attempts += attempts

    def calls(self) -> list[ScriptCall]:
        """What writes them, to run it in one trip with others; its answers are for `written`."""
        return self.ctx.ledger.firings.launching_each(self._ended(), self.lane)

    def _ended(self) -> list[tuple[Firing, str, str]]:
        return [(attempt.firing, attempt.task_id or "", attempt.slot) for attempt in self._attempts]

    def written(self, answers: Sequence[Any]) -> None:
        """They are in the ledger."""
        attempts, self._attempts = self._attempts, []
        for attempt, answer in zip(attempts, answers, strict=True):
            with ending(attempt):
                if isinstance(answer, Fenced):
                    raise answer
                attempt.ended("launched", "", attempt.task_id or "")

    def write(self) -> None:
        """Write them now."""
        if self._attempts:
            self.written(self.ctx.ledger.firings.launched_each(self._ended(), self.lane))

    def __enter__(self) -> Unwritten:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write()


def launched_each(attempts: Sequence[Attempt]) -> None:
    """End several of one lane as launched, with what they have recorded."""
    if not attempts:
        return
    first = attempts[0]
    unwritten = first.unwritten or Unwritten(first.ctx, first.lane)
    unwritten.add(attempts)
    if first.unwritten is None:
        unwritten.write()


@contextmanager
def ending(attempt: Attempt) -> Iterator[None]:
    """Run one step of an attempt; whatever goes wrong ends this attempt and no other.

    A failure of Redis passes: the lease expires and the firing comes up again by itself.
    """
    with attempt.about():
        try:
            with _written_down(attempt):
                yield
        except Fenced as loss:  # also where what went wrong may not be written down any more
            attempt.done = True
            log.warning("firing %s: %s", attempt.firing.key, loss)


@contextmanager
def _written_down(attempt: Attempt) -> Iterator[None]:
    """Write into the ledger what goes wrong: tried again later, or a dead letter."""
    try:
        yield
    except Fenced:
        raise
    except ServerBusy as busy:
        attempt.wait_for_server(busy)
    except Refused as refusal:
        if refusal.code in PASSING_CODES:
            attempt.fail(str(refusal))
        else:
            attempt.give_up(str(refusal))
    except Newer as later:
        attempt.snooze(UNREAD_SECONDS, str(later))
    except NotReadYet as later:
        attempt.snooze(LOOK_SECONDS, str(later))
    except (Permanent, Unreadable) as failure:
        attempt.give_up(str(failure))
    except Transient as failure:
        attempt.fail(str(failure))
    except (redis.ConnectionError, redis.TimeoutError):
        raise
    except Exception as failure:  # a fault of ours, or of what a person wrote into a ClearML task
        log.exception("trigger %r: the attempt failed", attempt.trigger.name)
        attempt.fail(f"{type(failure).__name__}: {failure}")
