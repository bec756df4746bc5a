"""Which schedulers live on this Redis: identity, pace, service task."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import redis

from triggers.ledger.keys import SCHEDULERS


@dataclass(frozen=True, slots=True)
class Scheduler:
    """The set of triggers that one `TriggerScheduler` declares.

    `host`, `workspace`, `project` and `name` (of the service task) are its identity; `service_task` is the
    id of the ClearML task that stands for it now, `poll_seconds` its pace, `sync_seconds` that of reading the
    service task's configuration, `web` the address of ClearML's web pages. A `shadow` launches nothing; it is a
    scheduler of its own, so that it never takes anything from the one that it shadows.
    """

    host: str
    workspace: str
    project: str
    name: str
    poll_seconds: float
    service_task: str = ""
    sync_seconds: float = 900.0
    web: str = ""
    shadow: bool = False

    @property
    def id(self) -> str:
        """The id that every Redis key of the scheduler carries: equal wherever the identity is."""
        identity = (self.host, self.workspace, self.project, self.name) + (("shadow",) if self.shadow else ())
        text = "\0".join(identity)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def put(client: redis.Redis, scheduler: Scheduler) -> None:
    """Enter or update a scheduler. Idempotent."""
    client.hset(SCHEDULERS, scheduler.id, json.dumps(asdict(scheduler)))


def remove(client: redis.Redis, id_: str) -> None:
    """Stop serving a scheduler; what is remembered of it stays. Idempotent."""
    client.hdel(SCHEDULERS, id_)


def all_of(client: redis.Redis) -> dict[str, Scheduler]:
    """The schedulers on this Redis by id."""
    found: Any = client.hgetall(SCHEDULERS)
    return {id_: Scheduler(**json.loads(text)) for id_, text in found.items()}
