"""The one edge to Redis for everything that writes: runs scripts under the run id the caller knows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis

from triggers.base import progress, redis_login, redis_refusals
from triggers.base.errors import EpochChanged, Fenced, StoreUnavailable
from triggers.base.redis_address import RedisAddress

Arguments = tuple[str | int | float, ...]

#: What one call of a script is given: its keys, and its arguments without the run id.
Call = tuple[list[str], Arguments]

#: Pause between two looks at how far the counter of tokens has gone, seconds.
SEE_SECONDS = 1.0

#: Firings that one script call changes at most, so that Redis is never busy for long.
FIRINGS_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua script of this folder; `fenced` ones carry the prelude that refuses another epoch.

    `uses`: other files of the folder whose functions it calls.
    """

    name: str
    fenced: bool = True
    uses: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The Lua source as it is sent."""
        return "".join(map(_read, ("clock", *(["prelude"] if self.fenced else []), *self.uses, self.name)))


#: A script and what it is given, to run it in one trip with others.
ScriptCall = tuple[Script, list[str], Arguments]


@cache
def _read(name: str) -> str:
    # not by importlib.resources, whose import takes longer than all reading
    return Path(__file__).with_name("scripts").joinpath(f"{name}.lua").read_text(encoding="utf-8")


def connect(url: str, *, timeout_seconds: float = 5.0) -> redis.Redis:
    """A client whose answers are text. Blocks no longer than `timeout_seconds` on a frozen Redis.

    Raises:
        Usage: it is not an address of a Redis, or names files that are not there.
    """
    address = RedisAddress.parse(url)
    address.require_files()
    keepalive = {} if address.is_socket else {"socket_keepalive": True}
    login = redis_login.FileLogin() if redis_login.rereads(address) else None
    return redis.Redis.from_url(
        redis_login.without_login(address) if login else address.url,
        credential_provider=login,
        decode_responses=True,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=15,
        **keepalive,
        **address.tls,
    )


class Store:
    """Runs the scripts of the ledger. Thread-safe.

    `run_id` names the run of Redis and, by a nonce, the data in it whose state the caller has seen. A script is refused
    with `EpochChanged` when either has become another; the caller then drops what it holds and begins a new epoch
    (`epoch.adopt`), which sets `run_id` anew. `seen` is how far the counter of tokens has gone: data in which it is
    lower is an older state, whatever it says of itself.
    """

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.run_id, self.seen = "", 0
        self._look_at = 0.0
        self._scripts: dict[str, Any] = {}
        self._loaded: set[str] = set()  # scripts that Redis has been given

    def url(self) -> str:
        """Address of the Redis in use, without a password."""
        options: Any = self.client.connection_pool.connection_kwargs
        if "path" in options:
            return f"unix://{options['path']}"
        return f"redis://{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db', 0)}"

    def look_for_primary(self, failure: BaseException) -> None:
        """Ask for the address anew where an error says that this Redis takes no writes any more."""
        redis_refusals.look_for_primary(self.client, failure)

    def run(self, script: Script, keys: list[str], *args: str | int | float) -> Any:
        """Run one script; with `run_each` the only way this project writes to Redis.

        Raises:
            EpochChanged: Redis or its data is another than `run_id` names; nothing was written.
            Fenced: what the script was asked to change is no longer the caller's; nothing was written.
            StoreUnavailable: no answer; the script may have run.
        """
        progress.note()
        try:
            answer = self._run(script, keys, self._arguments(script, args))
            self._loaded.add(script.name)
            return answer
        except redis.RedisError as refusal:
            if (meaning := self._meaning(script, refusal)) is refusal:
                raise
            raise meaning from refusal

    def run_each(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        """Run one script several times in order, in one trip: as `run_together`."""
        return self.run_together([(script, *call) for call in calls])

    def run_together(self, calls: Sequence[ScriptCall]) -> list[Any]:
        """Run scripts in order, in one trip: each is atomic, others may come between them.

        Returns:
            What each answers; where one was refused as fenced, that `Fenced`.

        Raises:
            EpochChanged: Redis or its data is another than `run_id` names; nothing was written.
            StoreUnavailable: no answer; any of them may have run.
        """
        if not calls:
            return []
        progress.note()
        try:
            new = {script.name: script for script, *_ in calls if script.name not in self._loaded}
            with self.client.pipeline(transaction=False) as pipe:
                # loaded first: one that ran later than its turn might find others' work done
                for script in new.values():
                    pipe.script_load(self._registered(script).script)
                for script, keys, args in calls:
                    pipe.evalsha(self._registered(script).sha, len(keys), *keys, *self._arguments(script, args))
                answers = pipe.execute(raise_on_error=False)[len(new) :]
        except redis.RedisError as failure:
            raise self._meaning(calls[0][0], failure) from failure
        self._loaded |= set(new)
        for position, answer in enumerate(answers):
            script, keys, args = calls[position]
            if isinstance(answer, redis.exceptions.NoScriptError):  # a Redis that does not know it yet: `run` tells it
                answers[position] = self._run_or_fenced(script, (keys, args))
            elif isinstance(answer, redis.RedisError):
                answers[position] = meaning = self._meaning(script, answer)
                if isinstance(meaning, EpochChanged) or not isinstance(meaning, Fenced):
                    raise meaning
        return answers

    def _run(self, script: Script, keys: list[str], args: list[str | int | float]) -> Any:
        """Run a script; once a second, look in the same trip how far the counter of tokens has gone."""
        registered, now = self._registered(script), time.monotonic()
        if now < self._look_at or not keys:
            return registered(keys=keys, args=args)
        self._look_at = now + SEE_SECONDS
        with self.client.pipeline(transaction=False) as pipe:
            pipe.evalsha(registered.sha, len(keys), *keys, *args)
            pipe.get(f"{keys[0].partition('}:')[0]}}}:fence")
            answer, found = pipe.execute(raise_on_error=False)
        if isinstance(answer, redis.exceptions.NoScriptError):
            return registered(keys=keys, args=args)
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(found, Exception):  # what the script did is done
            self.seen = max(self.seen, int(found or 0))
        return answer

    def _run_or_fenced(self, script: Script, call: Call) -> Any:
        keys, args = call
        try:
            return self.run(script, keys, *args)
        except EpochChanged:
            raise
        except Fenced as refusal:
            return refusal

    def _meaning(self, script: Script, error: redis.RedisError) -> Exception:
        """What a script's error says to the caller."""
        text = str(error)
        if text.startswith("EPOCH"):
            return EpochChanged(text)
        if text.startswith("FENCED"):
            return Fenced(text.removeprefix("FENCED "))
        if redis_refusals.code_of(error):
            redis_refusals.look_for_primary(self.client, error)
            return StoreUnavailable(f"{redis_refusals.said(error)} ({script.name})")
        return error

    def _registered(self, script: Script) -> Any:
        registered = self._scripts.get(script.name)
        if registered is None:
            registered = self._scripts[script.name] = self.client.register_script(script.text)
        return registered

    def _arguments(self, script: Script, args: Sequence[str | int | float]) -> list[str | int | float]:
        return [f"{self.run_id}@{self.seen}", *args] if script.fenced else list(args)


def run_by_parts(
    store: Store, script: Script, keys: list[str], arguments: tuple[str | int | float, ...], firings: Sequence[str]
) -> int:
    """Run a script for many firings, some at a time; the sum of what it answers. Each part may be the last."""
    parts = (firings[start : start + FIRINGS_PER_CALL] for start in range(0, len(firings), FIRINGS_PER_CALL))
    return sum(int(store.run(script, keys, *arguments, *part)) for part in parts)
