"""What Celery needs of Redis: keys under a prefix of their own, and nothing from other projects' settings."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from triggers.base import redis_login
from triggers.base.redis_address import RedisAddress
from triggers.base.settings import settings

#: Queues of workers' messages to themselves begin so.
ALIVE_QUEUES = "alive:"

#: Celery and its command line read their settings and options from such variables first.
_CELERY = "CELERY_"

#: What Kubernetes puts into every pod for a Service named `flower`; Flower reads FLOWER_PORT as its port.
_SERVICE_LINK = ("FLOWER_PORT", "FLOWER_SERVICE_")


def broker_prefix() -> str:
    """What every key and channel of Celery begins with."""
    return f"{settings().key_prefix}:celery:"


def ignore_others(environ: MutableMapping[str, str]) -> list[str]:
    """Remove the variables of other projects and of Kubernetes that Celery or Flower would obey.

    Returns:
        Their names. These workers are configured by TRIGGERS_* variables and options of the command line.
    """
    others = [name for name, value in environ.items() if name.startswith(_CELERY) or _is_link(name, value)]
    for name in others:
        del environ[name]
    return sorted(others)


def _is_link(name: str, value: str) -> bool:
    return name.startswith(_SERVICE_LINK) and (value.startswith("tcp://") or name not in ("FLOWER_PORT",))


def configuration(address: RedisAddress) -> dict[str, Any]:
    """The part of Celery's configuration by which a process reaches the queues; the same for all processes."""
    return {
        "broker_url": redis_login.for_celery(address),
        "broker_use_ssl": address.tls or None,
        "broker_transport_options": {
            # another application on the same database has queues, bindings and unacknowledged messages of its own
            "global_keyprefix": broker_prefix(),
            # a message is a hint: writing down in Redis that one was received, and that it was, would be two trips to
            # Redis before its stage begins. What is received and not begun goes back to its queue at an orderly end
            "ack_emulation": False,
            # without these, publishers hang on a frozen Redis and never return
            "socket_timeout": 5,
            "socket_connect_timeout": 5,
            "socket_keepalive": not address.is_socket,
            "health_check_interval": 10,
        },
    }
