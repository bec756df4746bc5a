"""The rights that a Redis user needs, and which of them one lacks: found out at a start, without an effect.

A command is put into a transaction: for a lack of rights Redis refuses it at once. Then the transaction is thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import redis

from triggers.base import redis_refusals
from triggers.base.errors import Usage
from triggers.base.redis_address import shown
from triggers.base.settings import settings

#: Commands on keys that scripts and workers send, Celery's among them; in the ledger's Lua or directly.
_ON_KEYS: Final = """
GET|SET x|DEL|UNLINK|EXISTS|TYPE|EXPIRE 9|PEXPIRE 9|PTTL|PERSIST|INCR
HGET f|HSET f x|HSETNX f x|HMGET f|HGETALL|HDEL f|HEXISTS f|HINCRBY f 1|HKEYS|HVALS|HLEN|HSCAN 0
LLEN|LINDEX 0|LRANGE 0 0|LPUSH x|RPUSH x|LPOP|RPOP|LREM 0 x|LSET 0 x|LTRIM 0 0|BRPOP 1
SADD x|SREM x|SMEMBERS|SISMEMBER x|SCARD
ZADD 1 x|ZREM x|ZCARD|ZSCORE x|ZMSCORE x|ZRANK x|ZRANGE 0 0|ZRANGEBYSCORE 0 0|ZREVRANGE 0 0|ZREVRANGEBYSCORE 0 0
ZRANGEBYLEX - +|ZCOUNT 0 0|ZINCRBY 1 x|ZREMRANGEBYSCORE 0 0|ZREMRANGEBYRANK 0 0
XADD * f x|XRANGE - +|XREVRANGE + -|XLEN
"""

_SINCE: Final = "use Redis 6.2 or later, of a provider that does not hide them"
_UNKNOWN: Final = re.compile(r"unknown command", re.IGNORECASE)
#: What a user may not use, by what Redis says of it: before Redis 7, and since.
_PLACE: Final = re.compile(r"access (?:a|one of the) (key|channel)")


def refuse_lacking(client: redis.Redis, url: str, *, subscribes: bool = False) -> None:
    """End a start whose Redis user lacks rights. A Redis that does not answer passes: it may come up yet.

    Args:
        client: of the Redis that is to be used.
        url: its address, for the message.
        subscribes: whether the process takes messages from queues, as workers do.

    Raises:
        Usage: it lacks some, and the message has the command that grants them; or Redis has no such commands.
    """
    try:
        found = lacking(client, subscribes=subscribes)
    except (redis.RedisError, OSError):
        return
    if hidden := " ".join(name for name in found if name.isupper()):
        raise Usage(f"the Redis at {shown(url)} cannot be used: it does not know the commands {hidden}; {_SINCE}")
    if found:
        raise Usage(
            f"the Redis at {shown(url)} cannot be used: its user lacks rights (NOPERM): ACL SETUSER USER "
            f"{' '.join(found)}; docs/deployment.md lists all that are needed"
        )


def lacking(client: redis.Redis, *, subscribes: bool = False) -> list[str]:
    """What the user of a client lacks: rights, as `ACL SETUSER` writes them, and commands that Redis does not know.

    Raises:
        redis.RedisError: no answer.
    """
    prefix = settings().key_prefix
    channel = f"{prefix}:celery:/{client.connection_pool.connection_kwargs.get('db') or 0}.celery.pidbox"
    # in this order none of them has an effect
    outside = [("PING",), ("WATCH", f"{prefix}:probe"), ("UNWATCH",), ("EXEC",), ("DISCARD",), ("MULTI",)]
    inside = [*_commands(prefix), ("PUBLISH", channel, "x"), *([("PSUBSCRIBE", channel)] if subscribes else [])]
    refused = set()
    pool: Any = client.connection_pool
    connection = pool.get_connection()
    try:
        for commands in (outside, inside):
            answers = _ask(connection, commands)
            refused |= {
                _refused(command, answer, prefix, channel) for command, answer in zip(commands, answers, strict=True)
            }
            if isinstance(answers[-1], Exception):  # outside of a transaction the others would be carried out
                break
    finally:
        connection.disconnect()  # whatever state it is in
        pool.release(connection)
    return sorted(refused - {""})


def _commands(prefix: str) -> Iterator[tuple[str, ...]]:
    for place in (f"{prefix}:{{probe}}:x", f"{prefix}:celery:probe"):
        for line in re.split(r"[|\n]", _ON_KEYS.strip()):
            name, *arguments = line.split(" ")
            yield (name, place, *arguments)
    yield ("RENAME", place, place)
    yield ("XREAD", "STREAMS", place, "0")
    yield ("EVAL", "return 1", "1", place)
    yield ("EVALSHA", "0" * 40, "1", place)
    yield ("SCRIPT", "LOAD", "return 1")
    yield ("SCRIPT", "EXISTS", "0" * 40)
    yield from (("TIME",), ("DBSIZE",), ("SCAN", "0"))


def _ask(connection: Any, commands: list[tuple[str, ...]]) -> list[object]:
    """What Redis answers to each, errors among the answers; in one trip."""
    connection.send_packed_command(connection.pack_commands(commands))
    answers: list[object] = []
    for _ in commands:
        try:
            answers.append(connection.read_response())
        except redis.ResponseError as refusal:
            answers.append(refusal)
    return answers


def _refused(command: tuple[str, ...], answer: object, prefix: str, channel: str) -> str:
    """The right that an answer says is lacking, or the command that is unknown; "" if it says neither."""
    if not isinstance(answer, redis.ResponseError):
        return ""
    if _UNKNOWN.search(str(answer)):
        return command[0]
    if redis_refusals.code_of(answer) != "NOPERM":
        return ""
    if place := _PLACE.search(str(answer)):
        return f"~{prefix}:*" if place[1] == "key" else f"&{prefix}:* &{channel}"
    # its name from here: Redis before 7 leaves out the second word
    return f"+{'|'.join(command[:2] if command[0] == 'SCRIPT' else command[:1]).lower()}"
