"""Takeover: take a scheduler for this Redis at a start, unless another Redis is seen to serve it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Final

from triggers.base.errors import Usage
from triggers.base.logs import logger
from triggers.clearml_api import server_now_ms, service
from triggers.context import Context
from triggers.ledger.schedulers import Scheduler
from triggers.sync import renewal
from triggers.sync.redis_lease import LIFE_MS, RedisLease, address_of, other_holder, was_renewed
from triggers.sync.trust import said_by

log = logger(__name__)

#: Pause between two looks at the lease of another Redis, seconds.
LOOK_SECONDS: Final = 2.0


def take_over(
    ctx: Context, scheduler: Scheduler, *, ask: Callable[[Callable[[], float]], float] = lambda do: do()
) -> None:
    """Take the scheduler for this Redis, at a start.

    Another Redis whose lease was not seen renewed yet is watched: it is renewed, or runs out. So a start beside another
    Redis takes as long as its next renewal, and a lease that nobody renews keeps nobody out.

    Args:
        ctx: of the scheduler.
        scheduler: what is taken.
        ask: runs what asks the ClearML server, more than once while that gives no usable answer; waiting for a lease
            is not among it.

    Raises:
        Usage: another Redis serves it; the message names both.
    """
    seen: dict[str, RedisLease] = {}
    while pause := ask(lambda: _attempt(ctx, scheduler, seen)):
        time.sleep(pause)


def _attempt(ctx: Context, scheduler: Scheduler, seen: dict[str, RedisLease]) -> float:
    """Take it, unless another Redis may serve it; seconds to wait before the next look, 0.0 once it is taken.

    Raises:
        Usage: another Redis serves it.
    """
    known, server_ms = renewal.services(ctx, scheduler), server_now_ms(ctx.api)
    renewal.notice_older_state(ctx, renewal.my_lease(ctx, known, server_ms), renewal.leases(known, server_ms))
    lease = renewal.my_lease(ctx, known, server_ms)
    rivals = [
        one
        for one in renewal.leases(known, server_ms)
        if one.until_ms > server_ms and not one.same_redis(lease) and not _is_past(one, lease)
    ]
    if rivals:
        return _look_at(ctx, scheduler, lease, rivals, known, seen, server_ms)
    service.write_runtime(ctx.api, scheduler.service_task, {lease.property: lease.to_json()})
    now = renewal.services(ctx, scheduler)
    first = other_holder([one for one in renewal.leases(now, server_ms) if not _is_past(one, lease)], lease, server_ms)
    if first is not None:
        service.write_runtime(ctx.api, scheduler.service_task, {}, remove=[lease.property])
        raise _occupied(ctx, scheduler, first, now, server_ms)
    return 0.0


def _is_past(other: RedisLease, mine: RedisLease) -> bool:
    """Whether a lease is of an earlier epoch of this very data, or of an earlier run at this very address."""
    return other.instance == mine.instance and (other.rank < mine.rank or other.address == mine.address)


def _look_at(
    ctx: Context,
    scheduler: Scheduler,
    mine: RedisLease,
    rivals: list[RedisLease],
    known: list[service.Service],
    seen: dict[str, RedisLease],
    server_ms: int,
) -> float:
    """Seconds to wait for what becomes of the others' leases.

    Raises:
        Usage: one of them was renewed.
    """
    elsewhere = [rival for rival in rivals if rival.address != mine.address]
    for rival in elsewhere:
        if was_renewed(rival, seen.get(rival.property)):
            raise _occupied(ctx, scheduler, rival, known, server_ms)
        if rival.property not in seen:
            source = said_by(known, rival.property)
            log.warning(
                "the scheduler may be served from another Redis, %s by %s (according to %s): waiting up to %d s to see "
                "whether its lease is renewed",
                rival.address, rival.holder, source, max(1, (rival.until_ms - server_ms) // 1000),
            )  # fmt: skip
        seen.setdefault(rival.property, rival)
    if elsewhere:
        return LOOK_SECONDS
    log.warning("the Redis at %s was emptied: waiting until its lease expires", mine.address)
    return max(0.001, min(rivals[0].until_ms - server_ms, LIFE_MS) / 1000)


def _occupied(
    ctx: Context, scheduler: Scheduler, rival: RedisLease, known: list[service.Service], server_ms: int
) -> Usage:
    return Usage(
        f"{rival.holder} already serves the scheduler {scheduler.project}/{scheduler.name} from another Redis, "
        f"{rival.address} (according to {said_by(known, rival.property)}). A scheduler uses one Redis; this process "
        f"({os.getpid()} on {socket.gethostname()}) uses {address_of(renewal.redis_url(ctx))}. Use the same "
        f"TRIGGERS_REDIS_URL, or end the other process; if it has died, its lease expires within "
        f"{max(1, (rival.until_ms - server_ms) // 1000)} s"
    )
