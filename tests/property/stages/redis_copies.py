"""Copies of a whole Redis, so that another server can stand for a later run that lost what came after."""

from __future__ import annotations

import redis

#: name → serialized value, ms to live (0: no limit)
Copy = dict[bytes, tuple[bytes, int]]


def _raw(client: redis.Redis) -> redis.Redis:
    """A client that leaves bytes alone."""
    return redis.Redis(unix_socket_path=client.connection_pool.connection_kwargs["path"])


def copy_of(client: redis.Redis) -> Copy:
    """All that is in a Redis."""
    with _raw(client) as raw:
        names = raw.keys("*")
        with raw.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.dump(name)
                pipe.pttl(name)
            found = pipe.execute()
    return {name: (text, max(0, ttl)) for name, text, ttl in zip(names, found[::2], found[1::2], strict=True)}


def put_copy(client: redis.Redis, copy: Copy) -> None:
    """Make a Redis hold that and nothing else."""
    with _raw(client) as raw, raw.pipeline(transaction=False) as pipe:
        pipe.flushall()
        for name, (text, ttl) in copy.items():
            pipe.restore(name, ttl, text)
        pipe.execute()
