"""The Celery application: queues, routes, schedule. Messages are hints; the truth is in the ledger."""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger
from kombu import Exchange, Queue

from triggers.broker import configuration as broker
from triggers.broker import ignore_others
from triggers.errors import Usage
from triggers.logs import dress
from triggers.redis_address import RedisAddress
from triggers.roles import QUEUES
from triggers.settings import Settings, settings

#: Seconds between two ticks of the schedule: the finest pace of polling.
TICK_SECONDS = 1.0

#: Seconds between two turns of sync; what each of its parts does has a pace of its own.
SYNC_TICK_SECONDS = 5.0

#: Seconds between two looks at what people have to be told.
NOTIFY_TICK_SECONDS = 15.0


def redis_address(redis_url: str | None) -> RedisAddress:
    """The address of Redis, which workers cannot do without."""
    if not redis_url:
        raise Usage(
            "TRIGGERS_REDIS_URL is not set: workers need the Redis that the scheduler uses, "
            "for example TRIGGERS_REDIS_URL=redis://localhost:6379/0"
        )
    return RedisAddress.parse(redis_url)


def configuration(of: Settings) -> dict[str, Any]:
    """Celery's configuration. Early acknowledgement and no results: the ledger knows, the broker need not."""
    address = redis_address(of.redis_url)
    return {
        **broker(address),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_ignore_result": True,
        "result_expires": None,  # no results, no daily message to clear them away
        "task_store_errors_even_if_ignored": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        # with exchange and key: without, Celery binds all three to one key, and each gets the messages of all
        "task_queues": [Queue(name, Exchange("triggers"), routing_key=name) for name in QUEUES],
        "task_default_queue": "poll",
        "task_create_missing_queues": False,
        "task_routes": {
            "triggers.poll": {"queue": "poll"},
            "triggers.reconcile": {"queue": "poll"},
            "triggers.sync": {"queue": "poll"},
            "triggers.match": {"queue": "match"},
            "triggers.dispatch": {"queue": "dispatch"},
            "triggers.notify": {"queue": "dispatch"},
        },
        "task_publish_retry": False,  # reconcile gives a lost hint again
        "worker_consumer": "workers.consumer:Consumer",
        "worker_pool": "threads",  # every stage waits for HTTP or Redis most of the time
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "beat_schedule": {
            "poll": {"task": "triggers.poll", "schedule": TICK_SECONDS},
            "reconcile": {"task": "triggers.reconcile", "schedule": of.reconcile_seconds},
            "sync": {"task": "triggers.sync", "schedule": SYNC_TICK_SECONDS},
            # to two roles: that one of them has stopped is among what the other tells
            **{
                f"notify by {queue}": {
                    "task": "triggers.notify",
                    "schedule": NOTIFY_TICK_SECONDS,
                    "options": {"queue": queue},
                }
                for queue in ("dispatch", "poll")
            },
        },
        "beat_max_loop_interval": 1,
        "beat_scheduler": "workers.beat:Scheduler",
        "imports": [
            "workers.poll",
            "workers.match",
            "workers.dispatch",
            "workers.reconcile",
            "workers.sync",
            "workers.notify",
            "workers.watch",
            "workers.options",
            "workers.bound",
        ],
    }


#: Variables of other projects that this process does not obey; before Celery reads any of them.
_ignored = ignore_others(os.environ)

app = Celery("workers")
app.config_from_object(configuration(settings()))


@after_setup_logger.connect  # type: ignore[untyped-decorator]
@after_setup_task_logger.connect  # type: ignore[untyped-decorator]
def _dress_log(logger: logging.Logger, **_: Any) -> None:
    dress(logger, settings().log_format)
    if _ignored:
        logger.warning("variables of other projects are ignored here, only TRIGGERS_* count: %s", ", ".join(_ignored))
        _ignored.clear()
