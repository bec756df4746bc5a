"""After a failover of the broker: its old primary refuses writes on connections that stay open."""

from __future__ import annotations

from celery import Celery

from triggers.base import redis_refusals


def look_for_primary(celery: Celery, error: Exception) -> None:
    """Close the connections for sending where a replica has refused a message: new ones lead to the new primary.

    Another thread's message that is on its way there is lost, as it would be anyway; messages are hints.
    """
    if redis_refusals.has_moved(error):
        celery.amqp.producer_pool.force_close_all(close_pool=False)
        celery.pool.force_close_all(close_pool=False)
