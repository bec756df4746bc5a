"""Call: carry out firings whose action is a Python function.

A function cannot carry a key, so it is called at least once: a process that dies inside the call leads to a
second one. The function receives the firing if it has a parameter of that name.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from triggers.actions.attempt import Attempt, ending
from triggers.actions.functions import Function, call
from triggers.base import progress
from triggers.base.errors import Fenced
from triggers.base.logs import logger
from triggers.context import Context
from triggers.ledger import leases
from triggers.ledger.firing import Claim, Firing
from triggers.model.events import Event
from triggers.stages.admission import admit
from triggers.stages.taking import take

log = logger(__name__)


def call_one(ctx: Context, functions: Mapping[str, Function]) -> bool:
    """Take one firing that waits for this process, call its function, say how it ended; False if none is due.

    Any number of threads may call it at once: a function that hangs keeps its own thread and no other.

    Args:
        ctx: the scheduler.
        functions: trigger id → the function that this process declared for it.
    """
    claimed = claim(ctx)
    if claimed is not None:
        carry(ctx, claimed, functions)
    return claimed is not None


def claim(ctx: Context, running: Iterable[Firing] = ()) -> Claim | None:
    """Take one firing that waits for this process, None if none is due; never one that is `running` in it."""
    claimed = take(ctx, "caller", 1, running)
    return claimed if claimed.firings else None


def carry(ctx: Context, claimed: Claim, functions: Mapping[str, Function]) -> None:
    """Call the function of a firing just taken, and say how it ended."""
    (firing,) = claimed.firings

    def extend() -> None:
        if ctx.ledger.firings.renew("caller", [firing], ctx.settings.lease_seconds):
            raise Fenced(f"firing {firing.key} was taken by another")

    with leases.renewing(ctx.settings.lease_seconds / 3, extend):
        for attempt in admit(ctx, ctx.plan(claimed.registry_version), [firing], "caller"):
            with ending(attempt):
                _carry_out(attempt, functions.get(firing.trigger))


def _carry_out(attempt: Attempt, function: Function | None) -> None:
    if function is None:
        attempt.fail("the process that serves this scheduler did not declare its function")
    else:
        carry_out(attempt, function)


def carry_out(attempt: Attempt, function: Function) -> None:
    """Call the function of a firing and say how it ended; what it raises is a failure with its traceback.

    `SystemExit` and others that are no `Exception` too: here they end a thread, and nobody would hear of them.
    """
    try:
        with progress.without_end():
            call(function, attempt.firing.object, describe(attempt.firing))
    except BaseException as failure:
        log.exception("trigger %r: its function failed", attempt.trigger.name)
        attempt.fail(f"{type(failure).__name__}: {failure}\n{traceback.format_exc(limit=-5)}")
    else:
        attempt.launched("")


def describe(firing: Firing) -> dict[str, Any]:
    """What a function is told of its firing: plain values that can be logged and stored.

    `key` is the same at every call for one occurrence: use it to do a thing once.
    """
    event = Event.from_json(firing.event)
    return {
        "key": firing.key,
        "trigger": firing.trigger.partition(":")[2],
        "kind": firing.kind,
        "object": firing.object,
        "name": event.name,
        "project": event.project,
        "changed_ms": firing.changed_ms,
        "attempt": firing.failures + 1,
    }
