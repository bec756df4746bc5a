"""The schedulers on this Redis: identity, pace, service task."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import redis

from triggers.base.errors import Unreadable
from triggers.base.formats import KNOWN, check_version, known_fields, reading
from triggers.base.settings import Settings
from triggers.ledger.keys import Keys, shared
from triggers.ledger.signing import NO_KEY, Signer


@dataclass(frozen=True, slots=True)
class Scheduler:
    """The set of triggers that one `TriggerScheduler` declares.

    `host`, `workspace`, `project` and `name` (of the service task) are its identity; `service_task` is the
    id of the ClearML task that stands for it now, `poll_seconds` its pace, `quiet_seconds` that after ten quiet minutes
    (0: polls keep theirs), `sync_seconds` that of reading the service task's configuration, `web` the address of
    ClearML's web pages. A `shadow` launches nothing; it is a scheduler of its own, so that it never takes anything from
    the one that it shadows.
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
    quiet_seconds: float = 0.0

    @property
    def id(self) -> str:
        """The id that every Redis key of the scheduler carries: equal wherever the identity is."""
        identity = (self.host, self.workspace, self.project, self.name) + (("shadow",) if self.shadow else ())
        text = "\0".join(identity)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The text kept in Redis."""
        return json.dumps(asdict(self) | {"v": KNOWN["scheduler"]})

    @classmethod
    def from_json(cls, id_: str, text: str) -> Scheduler:
        """Read the text kept in Redis under a scheduler's id.

        Raises:
            Newer, Unreadable: a later release wrote it; nobody did.
        """
        with reading("scheduler", id_):
            found: dict[str, Any] = json.loads(text)
            check_version("scheduler", found.get("v", 1), id_)
            scheduler = cls(**known_fields(cls, found))
            if scheduler.id != id_:
                raise ValueError(f"what it says of itself makes the id {scheduler.id}")
            texts = ("host", "workspace", "project", "name", "service_task", "web")
            if not all(isinstance(getattr(scheduler, name), str) for name in texts):
                raise TypeError(f"one of {', '.join(texts)} is not a text")
            for seconds in (scheduler.poll_seconds, scheduler.sync_seconds):
                if not 0 < float(seconds) < math.inf:
                    raise ValueError(f"a pace of {seconds!r:.40} seconds")
            if not 0 <= float(scheduler.quiet_seconds) < math.inf:
                raise ValueError(f"a quiet pace of {scheduler.quiet_seconds!r:.40} seconds")
            return scheduler


def put(client: redis.Redis, scheduler: Scheduler, signer: Signer = NO_KEY) -> None:
    """Enter or update a scheduler, signed by its signer. Idempotent."""
    client.hset(shared("schedulers"), scheduler.id, signer.seal("scheduler", scheduler.id, scheduler.to_json()))


def is_entered(client: redis.Redis, id_: str) -> bool:
    """Whether there is a record of the scheduler, readable or not."""
    return bool(client.hexists(shared("schedulers"), id_))


def remove(client: redis.Redis, id_: str) -> None:
    """Stop serving a scheduler; what is remembered of it stays. Idempotent."""
    client.hdel(shared("schedulers"), id_)


def read_all(
    client: redis.Redis, verified_by: Settings | None = None, only: Sequence[str] | None = None
) -> tuple[dict[str, Scheduler], dict[str, Unreadable]]:
    """The schedulers on this Redis by id, and why others cannot be read: they are left alone.

    Args:
        client: of the Redis.
        verified_by: settings by whose keys the records have to be signed, if they name any; None: whoever signed.
        only: ids of the only ones to read.
    """
    texts: Any
    if only is None:
        texts = client.hgetall(shared("schedulers"))
    else:
        some: Any = client.hmget(shared("schedulers"), list(only))
        texts = {id_: text for id_, text in zip(only, some, strict=True) if text is not None}
    found, unreadable = {}, {}
    for id_, text in texts.items():
        try:
            signer = Signer.of(verified_by, id_) if verified_by else NO_KEY
            found[id_] = Scheduler.from_json(id_, signer.unseal("scheduler", id_, text))
        except Unreadable as fault:
            unreadable[id_] = fault
    return found, unreadable


def registry_versions(client: redis.Redis, ids: Iterable[str]) -> dict[str, int]:
    """The present versions of the registries of several schedulers, by one trip."""
    asked = list(ids)
    with client.pipeline(transaction=False) as pipe:
        for id_ in asked:
            pipe.get(Keys(id_).registry_version)
        return {id_: int(version or 0) for id_, version in zip(asked, pipe.execute(), strict=True)}


def one_of(client: redis.Redis, id_: str, signer: Signer = NO_KEY) -> Scheduler | None:
    """A scheduler by its id; None where there is none, or it cannot be read."""
    text: Any = client.hget(shared("schedulers"), id_)
    try:
        return Scheduler.from_json(id_, signer.unseal("scheduler", id_, text)) if text else None
    except Unreadable:
        return None


def all_of(client: redis.Redis) -> dict[str, Scheduler]:
    """The schedulers on this Redis by id, as far as they can be read."""
    return read_all(client)[0]
