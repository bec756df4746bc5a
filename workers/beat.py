"""The schedule: RedBeat, whose ticks are written down as progress."""

from __future__ import annotations

import time
from typing import Any

from celery import Celery
from redbeat.schedulers import RedBeatScheduler

from triggers.ledger.keys import beat_prefix
from triggers.settings import Settings, settings
from workers import watch
from workers.app import redis_address

#: How long a beat that does not tick any more keeps the schedule; two that tick for a moment do no harm.
LOCK_SECONDS = 5


def configuration(of: Settings) -> dict[str, Any]:
    """RedBeat's part of Celery's configuration.

    Of a beat only: workers tell everyone who asks what theirs is, and of passwords hide the broker's alone.
    """
    address = redis_address(of.redis_url)
    return {
        "redbeat_redis_url": address.url,
        "redbeat_redis_use_ssl": address.tls or None,
        "redbeat_key_prefix": beat_prefix(),
        "redbeat_lock_timeout": LOCK_SECONDS,
        "redbeat_redis_options": {"socket_timeout": 5, "socket_connect_timeout": 5},
    }


class Scheduler(RedBeatScheduler):  # type: ignore[misc]
    """One of several, of which one ticks."""

    def __init__(self, app: Celery, *args: Any, **kwargs: Any) -> None:
        watch.refuse_redis()
        app.conf.update(configuration(settings()))
        super().__init__(app, *args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send what is due."""
        watch.beat.ticked_at = time.monotonic()
        return super().tick(*args, **kwargs)
