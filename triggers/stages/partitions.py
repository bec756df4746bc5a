"""Partitions: how many a poll cuts events for, where workers have different settings."""

from __future__ import annotations

from triggers.base.logs import Seldom, logger
from triggers.base.plural import plural
from triggers.context import Context
from triggers.ledger.looks.poll_look import PollLook

log = logger(__name__)

_seldom = Seldom()


def partitions_now(ctx: Context, look: PollLook | None = None) -> int:
    """The number of this process once nothing waits; before that, the number that waiting events were cut for.

    `look`: of this poll, where there is one: what is matched meanwhile changes nothing, the next poll sees it.
    """
    wanted = ctx.settings.partitions
    found = ctx.ledger.reading.partitions(wanted) if look is None else look.waiting_partitions or wanted
    if found != wanted and (suffix := _seldom.suffix(f"{found} {wanted}")) is not None:
        log.warning(
            "TRIGGERS_PARTITIONS is %d here, and events wait in %s: these are used until none waits; give "
            "all workers the same number%s",
            wanted,
            plural(found, "partition"),
            suffix,
        )
    return found
