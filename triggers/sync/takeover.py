"""Takeover: take a scheduler for this Redis at a start, unless another Redis is seen to serve it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from triggers.base.errors import Usage
from triggers.base.logs import logger
from triggers.clearml_api import server_now_ms, service
from triggers.context import Context
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.sync import renewal
from triggers.sync.redis_lease import KNOCK, SILENT_LIFE_MS, RedisLease, address_of, other_holder, was_renewed
from triggers.sync.trust import said_by

log = logger(__name__)

#: Pause between two looks at the lease of another Redis, seconds.
LOOK_SECONDS: Final = 2.0
#: The pause between two knocks, ms: one may fall between two polls that see only what came after it.
KNOCK_MS: Final = 10_000


@dataclass
class _Watched:
    """Leases of other Redises, since when each is as it is, by the ClearML server's clock, and the last knock."""

    leases: dict[str, tuple[RedisLease, int]] = field(default_factory=dict)
    knocked_ms: int = 0

    def see(self, lease: RedisLease, now_ms: int) -> None:
        known, seen_ms = self.leases.get(lease.property, (lease, now_ms))
        self.leases[lease.property] = lease, seen_ms if known == lease else now_ms

    def ends_ms(self, lease: RedisLease, now_ms: int) -> int:
        """When it counts as dead, if it stays as it is."""
        known, seen_ms = self.leases.get(lease.property, (lease, now_ms))
        return lease.ends_ms(seen_ms if known == lease else now_ms)


def take_over(
    ctx: Context, scheduler: Scheduler, *, ask: Callable[[Callable[[], float]], float] = lambda do: do()
) -> None:
    """Take the scheduler for this Redis, at a start.

    Another Redis that has a lease is asked to renew it, by a knock on the service task, which its polls see. A lease
    that is not renewed for as long as its holder takes to answer keeps nobody out.

    Args:
        ctx: of the scheduler.
        scheduler: what is taken.
        ask: runs what asks the ClearML server, more than once while that gives no usable answer; waiting for a lease
            is not among it.

    Raises:
        Usage: another Redis serves it; the message names both.
    """
    watched = _Watched()
    while pause := ask(lambda: _attempt(ctx, scheduler, watched)):
        time.sleep(pause)


def _attempt(ctx: Context, scheduler: Scheduler, watched: _Watched) -> float:
    """Take it, unless another Redis may serve it; seconds to wait before the next look, 0.0 once it is taken.

    Raises:
        Usage: another Redis serves it.
    """
    known, server_ms = renewal.services(ctx, scheduler), server_now_ms(ctx.api)
    found = renewal.leases(known, server_ms)
    renewal.notice_older_state(ctx, renewal.my_lease(ctx, scheduler, known, server_ms), found)
    lease = renewal.my_lease(ctx, scheduler, known, server_ms)
    others = [
        one for one in found if one.until_ms > server_ms and not one.same_redis(lease) and not _is_past(one, lease)
    ]
    rivals = [one for one in others if watched.ends_ms(one, server_ms) > server_ms]
    if rivals:
        return _look_at(ctx, scheduler, lease, rivals, known, watched, server_ms)
    renewal.remove_leases(ctx, known, others)
    values = {lease.property: lease.to_json()}
    service.write_runtime(ctx.api, scheduler.service_task, values, remove=[KNOCK] if watched.knocked_ms else [])
    now = renewal.services(ctx, scheduler)
    first = other_holder([one for one in renewal.leases(now, server_ms) if not _is_past(one, lease)], lease, server_ms)
    if first is not None:
        service.write_runtime(ctx.api, scheduler.service_task, {}, remove=[lease.property])
        raise _occupied(ctx, scheduler, first, now)
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
    watched: _Watched,
    server_ms: int,
) -> float:
    """Seconds to wait for what becomes of the others' leases.

    Raises:
        Usage: one of them was renewed.
    """
    elsewhere = [rival for rival in rivals if rival.address != mine.address]
    for rival in elsewhere:
        before, _ = watched.leases.get(rival.property, (None, 0))
        if was_renewed(rival, before):
            raise _occupied(ctx, scheduler, rival, known)
        if before is None:
            source = said_by(known, rival.property)
            log.warning(
                "the scheduler may be served from another Redis, %s by %s (according to %s): waiting up to %d s to see "
                "whether its lease is renewed",
                rival.address, rival.holder, source, max(1, (rival.ends_ms(server_ms) - server_ms) // 1000),
            )  # fmt: skip
    for rival in rivals:
        watched.see(rival, server_ms)
    if server_ms - watched.knocked_ms >= KNOCK_MS:
        watched.knocked_ms = server_ms
        service.write_runtime(ctx.api, scheduler.service_task, {KNOCK: str(server_ms)})
    if elsewhere:
        return LOOK_SECONDS
    log.warning("the Redis at %s was emptied: waiting until its lease expires", mine.address)
    return max(0.001, (watched.ends_ms(rivals[0], server_ms) - server_ms) / 1000)


def _occupied(ctx: Context, scheduler: Scheduler, rival: RedisLease, known: list[service.Service]) -> Usage:
    return Usage(
        f"{rival.holder} already serves the scheduler {scheduler.project}/{scheduler.name} from another Redis, "
        f"{rival.address} (according to {said_by(known, rival.property)}). A scheduler uses one Redis; this process "
        f"({os.getpid()} on {socket.gethostname()}) uses {address_of(renewal.redis_url(ctx))}. Use the same "
        f"TRIGGERS_REDIS_URL, or end the other process; if it has died, the next start waits up to "
        f"{(rival.answers_ms or SILENT_LIFE_MS) // 1000} s for it and goes on"
    )
