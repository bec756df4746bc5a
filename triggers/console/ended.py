"""Sessions that people logged out of, as all consoles of a cluster know them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import redis

from triggers.base.logs import logger
from triggers.ledger.deployment import ended_sessions

log = logger(__name__)


class EndedSessions:
    """Refuses sessions that have ended, in this process at once. Threads may share it."""

    def __init__(self, clients: Callable[[], Iterable[redis.Redis]]) -> None:
        """Prepare; `clients` gives the Redis servers that other consoles look at, too."""
        self._clients = clients
        self._until: dict[str, float] = {}

    def end(self, session: str, now: float, seconds: float) -> None:
        """End a session whose cookie can be used for so many seconds more."""
        self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[session] = now + seconds
        for client in self._clients():
            try:
                ended_sessions.note(client, session, seconds)
            except redis.RedisError as failure:
                log.warning("could not tell the other consoles that a session was logged out: %s", failure)

    def has_ended(self, session: str) -> bool:
        """Whether somebody has logged out of a session; a Redis that gives no answer shows no page either."""
        return session in self._until or any(_is_noted(client, session) for client in self._clients())


def _is_noted(client: redis.Redis, session: str) -> bool:
    try:
        return ended_sessions.is_noted(client, session)
    except redis.RedisError:
        return False
