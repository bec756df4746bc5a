"""What workers run with: what limits launches by their settings, and whose signatures they accept. Read by `doctor`.

Each says so every few seconds, so that nobody has to believe the settings of the process that looks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import redis

from triggers.base.settings import Settings
from triggers.ledger.keys import shared
from triggers.ledger.signing import Signer

#: A worker that has not reported for this long is gone, ms.
VALID_MS: Final = 60_000

#: The settings that limit what is launched; workers that differ in them launch what only some of them may.
POLICY: Final = (
    "sections",
    "allow_base_projects",
    "allow_queues",
    "allow_target_projects",
    "allow_overrides",
    "allow_actions",
    "allow_secrets",
    "function_modules",
)


@dataclass(frozen=True, slots=True)
class Running:
    """One worker process.

    Attributes:
        queues: What it works at.
        policy: `POLICY` as it has it.
        keys: Names of its signing keys, the one that signs first.
        refused: Messages that it has refused because of their signature since it started.
        refused_why: Why the last of them was.
    """

    queues: tuple[str, ...]
    policy: Mapping[str, Any]
    keys: tuple[str, ...]
    refused: int = 0
    refused_why: str = ""


def policy_of(settings: Settings) -> dict[str, Any]:
    """`POLICY` as a process with these settings has it, as JSON says it."""
    values = {name: getattr(settings, name) for name in POLICY}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def key_names(settings: Settings) -> tuple[str, ...]:
    """Names by which signing keys are told apart, and which say nothing of them."""
    return tuple(Signer([key]).sign("name of a key")[-12:] for key in settings.signing_key)


def say(client: redis.Redis, worker: str, running: Running) -> None:
    """Say what a worker runs with, and forget those that are gone.

    Raises:
        redis.RedisError: Redis gave no answer.
    """
    name, now_ms = shared("workers"), _now_ms(client)
    found: Any = client.hgetall(name)
    gone = [other for other, text in found.items() if _read(text, now_ms) is None]
    if gone:
        client.hdel(name, *gone)
    client.hset(name, worker, json.dumps({"at_ms": now_ms, **asdict(running)}))


def of(client: redis.Redis) -> dict[str, Running]:
    """The workers that are at work, by name and process."""
    found: Any = client.hgetall(shared("workers"))
    now_ms = _now_ms(client)
    read = {worker: _read(text, now_ms) for worker, text in found.items()}
    return {worker: running for worker, running in sorted(read.items()) if running is not None}


def _read(text: str, now_ms: int) -> Running | None:
    """What a worker reported; None if that is long ago, or cannot be read."""
    try:
        said = json.loads(text)
        if abs(now_ms - int(said["at_ms"])) > VALID_MS:
            return None
        queues, keys = (tuple(map(str, said[name])) for name in ("queues", "keys"))
        policy = {name: said["policy"].get(name) for name in POLICY}
        return Running(queues, policy, keys, int(said["refused"]), str(said["refused_why"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _now_ms(client: redis.Redis) -> int:
    now: Any = client.time()
    return int(now[0]) * 1000 + int(now[1]) // 1000
