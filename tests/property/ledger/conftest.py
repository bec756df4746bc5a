"""Several Redis servers here too."""

from __future__ import annotations

from tests.property.stages.conftest import redis_clock, redis_servers

__all__ = ["redis_clock", "redis_servers"]
