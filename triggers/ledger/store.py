"""The one edge to Redis for everything that writes: runs scripts under the run id the caller knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import redis

from triggers.errors import EpochChanged, Fenced, StoreUnavailable
from triggers.redis_address import RedisAddress

#: Firings that one script call changes at most, so that Redis is never busy for long.
FIRINGS_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua script of this folder; `fenced` ones carry the prelude that refuses another run of Redis."""

    name: str
    fenced: bool = True

    @property
    def text(self) -> str:
        """The Lua source as it is sent."""
        return _read("prelude") + _read(self.name) if self.fenced else _read(self.name)


@cache
def _read(name: str) -> str:
    return resources.files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")


def connect(url: str, *, timeout_seconds: float = 5.0) -> redis.Redis:
    """A client whose answers are text. Blocks no longer than `timeout_seconds` on a frozen Redis."""
    address = RedisAddress.parse(url)
    keepalive = {} if address.is_socket else {"socket_keepalive": True}
    return redis.Redis.from_url(
        address.url,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=15,
        **keepalive,
        **address.tls,
    )


class Store:
    """Runs the scripts of the ledger. Thread-safe.

    `run_id` is the run of Redis whose state the caller has seen. A script is refused with `EpochChanged`
    when Redis has become another run; the caller then drops what it holds and begins a new epoch
    (`epoch.adopt`), which sets `run_id` anew.
    """

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.run_id = ""
        self._scripts: dict[str, Any] = {}

    def run(self, script: Script, keys: list[str], *args: str | int | float) -> Any:
        """Run one script; the only way this project writes to Redis.

        Raises:
            EpochChanged: Redis is another run than `run_id`; nothing was written.
            Fenced: what the script was asked to change is no longer the caller's; nothing was written.
            StoreUnavailable: no answer; the script may have run.
        """
        registered = self._scripts.get(script.name)
        if registered is None:
            registered = self._scripts[script.name] = self.client.register_script(script.text)
        arguments = [self.run_id, *args] if script.fenced else list(args)
        try:
            return registered(keys=keys, args=arguments)
        except redis.ResponseError as refusal:
            text = str(refusal)
            if text.startswith("EPOCH"):
                raise EpochChanged(text) from refusal
            if text.startswith("FENCED"):
                raise Fenced(text.removeprefix("FENCED ")) from refusal
            if text.startswith(("LOADING", "MISCONF", "READONLY", "OOM")):
                raise StoreUnavailable(f"Redis refuses to write: {text}") from refusal
            raise
        except (redis.ConnectionError, redis.TimeoutError) as failure:
            raise StoreUnavailable(f"Redis gave no answer to {script.name}: {failure}") from failure


def run_by_parts(
    store: Store, script: Script, keys: list[str], arguments: tuple[str | int | float, ...], firings: Sequence[str]
) -> int:
    """Run a script for many firings, some at a time; the sum of what it answers. Each part may be the last."""
    parts = (firings[start : start + FIRINGS_PER_CALL] for start in range(0, len(firings), FIRINGS_PER_CALL))
    return sum(int(store.run(script, keys, *arguments, *part)) for part in parts)
