"""The Celery application: queues, routes, schedule. Messages are hints; the truth is in the ledger."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger
from kombu import Exchange, Queue

from triggers.base.broker import configuration as broker
from triggers.base.broker import ignore_others
from triggers.base.errors import Usage
from triggers.base.logs import dress
from triggers.base.redis_address import RedisAddress
from triggers.base.settings import Settings, settings
from triggers.stages import table
from workers.calm import Calm


def redis_address(redis_url: str | None) -> RedisAddress:
    """The address of Redis, which workers cannot do without."""
    if not redis_url:
        raise Usage(
            "TRIGGERS_REDIS_URL is not set: workers need the Redis that the scheduler uses, "
            "for example TRIGGERS_REDIS_URL=redis://localhost:6379/0"
        )
    return RedisAddress.parse(redis_url)


def configuration(of: Settings) -> dict[str, Any]:
    """Celery's configuration. Early acknowledgment and no results: the ledger knows, the broker need not."""
    address = redis_address(of.redis_url)
    return {
        **broker(address),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # what Redis answers while it is full, a replica, or cannot write to disk; without this it ends the worker
        "broker_channel_error_retry": True,
        "task_ignore_result": True,
        "result_expires": None,  # no results, no daily message to clear them away
        "task_store_errors_even_if_ignored": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        # with exchange and key: without, Celery binds all three to one key, and each gets the messages of all
        "task_queues": [Queue(name, Exchange("triggers"), routing_key=name) for name in table.queues()],
        "task_default_queue": table.queues()[0],
        "task_create_missing_queues": False,
        "task_routes": {stage.task: {"queue": stage.queues[0]} for stage in _with_task()},
        "task_publish_retry": False,  # reconcile re-sends lost hints
        "worker_consumer": "workers.consumer:Consumer",
        "worker_pool": "threads",  # every stage waits for HTTP or Redis most of the time
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "beat_schedule": dict(_ticks(of)),
        "beat_max_loop_interval": 1,
        "beat_scheduler": "workers.beat:LeadingSchedule",
        "imports": [
            *(f"workers.{stage.name}" for stage in _with_task()),
            "workers.watchdog",
            "workers.remote",
            "workers.options",
            "workers.queue_limits",
            "workers.memory",
        ],
    }


def _with_task() -> Iterator[table.Stage]:
    """The stages that Celery runs."""
    return (stage for stage in table.STAGES if stage.queues)


def _ticks(of: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries of the beat schedule: each tick goes to all queues of its stage."""
    for stage in _with_task():
        seconds = stage.seconds(of)
        for queue in stage.queues if seconds is not None else ():
            name = stage.name if len(stage.queues) == 1 else f"{stage.name} by {queue}"
            yield name, {"task": stage.task, "schedule": seconds, "options": {"queue": queue}}


#: Variables of other projects that this process does not obey; before Celery reads any of them.
_ignored = ignore_others(os.environ)

app = Celery("workers", task_cls="workers.shown:ShownTask")
app.config_from_object(configuration(settings()))


#: The same for all handlers: a line that one has let through is in words by then.
_calm = Calm()


@after_setup_logger.connect  # type: ignore[untyped-decorator]
@after_setup_task_logger.connect  # type: ignore[untyped-decorator]
def _dress_log(logger: logging.Logger, **_: Any) -> None:
    dress(logger, settings().log_format)
    for handler in logger.handlers:
        handler.addFilter(_calm)
    if _ignored:
        logger.warning("ignored variables of other projects (only TRIGGERS_* count): %s", ", ".join(_ignored))
        _ignored.clear()
