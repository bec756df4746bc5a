"""Is the Redis one to keep firings in?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import redis

from triggers.base import redis_refusals
from triggers.base.redis_address import NO_EVICTION, eviction
from triggers.ledger.deployment.shared import probe_writing
from triggers.operate.doctor.findings import Finding

#: The oldest Redis whose commands suffice.
LEAST_VERSION: Final = (6, 2)

#: Memory in use, of what is allowed, from which on it is nearly full.
_NEARLY_FULL: Final = 0.9


def look(client: redis.Redis) -> Iterator[Finding]:
    """Whether it accepts writes; version, eviction, persistence, memory."""
    yield _writes(client)
    info: dict[str, Any] = dict(client.info())
    yield _version(info)
    yield _eviction(info, _setting(client, "maxmemory-policy"))
    yield from _persistence(info, _setting(client, "appendfsync"))
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most and used > _NEARLY_FULL * most:
        words = f"{used >> 20} of {most >> 20} MiB are in use; when it is full, nothing is polled or launched"
        yield Finding("Redis memory", "bad", words, "raise maxmemory, or lower TRIGGERS_HISTORY_LENGTH")


def _setting(client: redis.Redis, name: str) -> str | None:
    """A setting; None where CONFIG is not allowed, as with most that are hosted."""
    try:
        found: Any = client.config_get(name)
        return str(found[name]) if name in found else None
    except redis.ResponseError:
        return None


def _writes(client: redis.Redis) -> Finding:
    """A Redis that answers may refuse what counts: it is full, its disk is, or it is a replica."""
    try:
        probe_writing(client)
    except redis.RedisError as failure:
        if not redis_refusals.code_of(failure):
            raise
        why = redis_refusals.in_words(failure)
        return Finding("Redis writes", "bad", why, "nothing is polled or launched until then")
    return Finding("Redis writes", "ok", "it accepts them")


def _version(info: dict[str, Any]) -> Finding:
    text = str(info.get("valkey_version") or info.get("redis_version"))
    server = "Valkey" if "valkey_version" in info else "Redis"
    if tuple(int(part) for part in text.split(".")[:2] if part.isdigit()) < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        return Finding("Redis version", "bad", f"{server} {text}", f"use {least} or later")
    return Finding("Redis version", "ok", f"{server} {text}")


def _eviction(info: dict[str, Any], policy: str | None) -> Finding:
    policy = policy or info.get("maxmemory_policy")
    if policy is None:
        return Finding(
            "Redis eviction", "warn", "it does not report its policy", "check that maxmemory-policy is noeviction"
        )
    if policy != "noeviction":
        words = eviction({**info, "maxmemory_policy": policy})
        # without a limit nothing is evicted yet, and roles do not refuse to start
        words = words or f"maxmemory-policy is {policy}: a full Redis would forget firings and launch them again"
        return Finding("Redis eviction", "bad", words, NO_EVICTION)
    return Finding("Redis eviction", "ok", "noeviction")


def _persistence(info: dict[str, Any], fsync: str | None) -> Iterator[Finding]:
    if not int(info.get("aof_enabled", 0)):
        words = "no append-only file: after a crash, triggers and firings can only be rebuilt from ClearML"
        yield Finding("Redis persistence", "bad", words, "set appendonly to yes and appendfsync to everysec")
    elif fsync == "no":
        words = "appendfsync is no: a crash loses what the operating system has not written to disk yet"
        yield Finding("Redis persistence", "warn", words, "set appendfsync to everysec")
    elif info.get("aof_last_write_status", "ok") != "ok":
        words = "the last write of the append-only file failed"
        yield Finding("Redis persistence", "bad", words, "check whether its disk is full")
    else:
        yield Finding("Redis persistence", "ok", f"append-only file{f', {fsync}' if fsync else ''}")
