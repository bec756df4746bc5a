"""The Celery application: queues, routes, schedule. Messages are hints; the truth is in the ledger."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Queue

from triggers.errors import Usage
from triggers.settings import Settings, settings

#: Seconds between two ticks of the schedule: the finest pace of polling.
TICK_SECONDS = 1.0

QUEUES = ("poll", "match", "dispatch")


def broker_url(redis_url: str | None) -> str:
    """The address of Redis as Celery writes it."""
    if not redis_url:
        raise Usage(
            "TRIGGERS_REDIS_URL is not set: workers need the Redis that the scheduler uses, "
            "for example TRIGGERS_REDIS_URL=redis://localhost:6379/0"
        )
    return redis_url.replace("unix://", "redis+socket://", 1)


def configuration(of: Settings) -> dict[str, Any]:
    """Celery's configuration. Early acknowledgement and no results: the ledger knows, the broker need not."""
    url = broker_url(of.redis_url)
    return {
        "broker_url": url,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            # without these a frozen Redis hangs publishers for ever
            "socket_timeout": 5,
            "socket_connect_timeout": 5,
            "socket_keepalive": not url.startswith("redis+socket:"),
            "health_check_interval": 10,
        },
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_queues": [Queue(name) for name in QUEUES],
        "task_default_queue": "poll",
        "task_routes": {
            "triggers.poll": {"queue": "poll"},
            "triggers.reconcile": {"queue": "poll"},
            "triggers.match": {"queue": "match"},
            "triggers.dispatch": {"queue": "dispatch"},
        },
        "task_publish_retry": False,  # reconcile gives a lost hint again
        "worker_pool": "threads",  # every stage waits for HTTP or Redis most of the time
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "beat_schedule": {
            "poll": {"task": "triggers.poll", "schedule": TICK_SECONDS},
            "reconcile": {"task": "triggers.reconcile", "schedule": of.reconcile_seconds},
        },
        "beat_max_loop_interval": 1,
        "beat_scheduler": "redbeat.RedBeatScheduler",
        "redbeat_redis_url": url,
        "redbeat_key_prefix": "triggers:beat:",
        "redbeat_lock_timeout": 10,
        "redbeat_redis_options": {"socket_timeout": 5, "socket_connect_timeout": 5},
        "imports": ["workers.poll", "workers.match", "workers.dispatch", "workers.reconcile"],
    }


app = Celery("workers")
app.config_from_object(configuration(settings()))
