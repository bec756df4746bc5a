"""Tells people that Redis was set to evict keys while workers run; a start on such a Redis is refused."""

from __future__ import annotations

from collections.abc import Collection

from triggers.base.logs import logger
from triggers.base.redis_address import NO_EVICTION
from triggers.context import Context
from triggers.ledger.history import alarms

log = logger(__name__)


def raise_eviction_alarm(ctx: Context, known: Collection[str]) -> None:
    """Look at the policy of Redis; raise the alarm, or clear it. `known`: those that are set."""
    history = ctx.ledger.history
    evicts = ctx.ledger.eviction()
    if not evicts:
        if alarms.EVICTION.name in known:
            history.clear_alarm(alarms.EVICTION.name)
            log.warning("Redis evicts no keys any more")
        return
    text = f"Redis was set to evict keys: {evicts}; {NO_EVICTION}"
    if history.raise_alarm(alarms.EVICTION.name, text, ctx.ledger.now_ms()):
        log.error("%s", text)
