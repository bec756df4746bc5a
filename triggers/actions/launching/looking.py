"""Looking for what earlier attempts at firings left on the server, for several firings in one request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from triggers.actions.attempt import Attempt
from triggers.actions.endings import ending
from triggers.actions.launching import protocol as launch
from triggers.actions.launching import reads
from triggers.base.errors import Refused, ServerBusy, Transient
from triggers.clearml_api import launches
from triggers.model.launch_tags import FIRING, firing_tag, value_of


def look_for_launches(attempts: Sequence[Attempt]) -> None:
    """End the attempts whose launch is on the server already; what is void there goes.

    Those that Redis may have forgotten wait while reads may not show them yet.
    """
    attempts = [attempt for attempt in attempts if not attempt.done]
    forgotten = [attempt for attempt in attempts if _may_be_forgotten(attempt)]
    shows = together(forgotten, lambda: reads.shown(forgotten[0].ctx)) if forgotten else reads.ReadsShow.calls
    for attempt in forgotten:
        if not attempt.done and attempt.reuses and shows < reads.ReadsShow.records:
            with ending(attempt):
                launch.wait_for_reads(attempt)
    attempts = [attempt for attempt in attempts if not attempt.done and _must_look(attempt)]
    if not attempts:
        return
    api, tags = attempts[0].ctx.api, [firing_tag(a.firing.key) for a in attempts]
    found = together(attempts, lambda: launches.find_launches(api, tags))
    for attempt in attempts:
        if not attempt.done:
            with ending(attempt):
                hits = [f for f in found if value_of(FIRING, f.system_tags) == attempt.firing.key]
                launch.look(attempt, hits, shows)


def _may_be_forgotten(attempt: Attempt) -> bool:
    """Whether it launches a ClearML task, and Redis may have forgotten that it has done so."""
    launched = attempt.trigger.action.clones or attempt.reuses
    return bool(launched) and launch.may_be_forgotten(attempt.ctx, attempt.firing)


def _must_look(attempt: Attempt) -> bool:
    """Whether an earlier attempt, remembered or forgotten, may have left something behind."""
    firing = attempt.firing
    if not attempt.trigger.action.clones:
        return False  # a reused task is looked at in any case
    return len(firing.attempts) > 1 or launch.may_be_forgotten(attempt.ctx, firing)


def together(attempts: Sequence[Attempt], read: Callable[[], Any]) -> Any:
    """One read for all; when it fails, all fail alike. None then."""
    try:
        return read()
    except (Transient, Refused) as failure:
        for attempt in attempts:
            with ending(attempt):
                if isinstance(failure, ServerBusy):
                    raise
                attempt.fail(str(failure))
        return None
