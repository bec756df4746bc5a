"""One spelling of an address for all of its readers, and no password in the error of a wrong one."""

from __future__ import annotations

import ssl

import pytest
import redis
from kombu import Connection

from triggers.base.errors import Usage
from triggers.base.redis_address import RedisAddress, shown, with_password

PASSWORD = "p\"a'ss\\w:o/r@d#é?"


def meant(text: str) -> tuple[object, ...]:
    """Where redis-py goes: host or path, user, password, database."""
    kwargs = redis.Redis.from_url(RedisAddress.parse(text).url).connection_pool.connection_kwargs
    return kwargs.get("path") or kwargs["host"], kwargs.get("username"), kwargs.get("password"), int(kwargs["db"])


def meant_by_celery(text: str) -> tuple[object, ...]:
    """Where kombu goes, as its transport finally reads it."""
    connection = Connection(RedisAddress.parse(text).for_celery)
    params = connection.transport.Channel._connparams(_NoChannel(connection))
    return params.get("path") or params["host"], params.get("username"), params.get("password"), int(params["db"])


class _NoChannel:
    """What kombu's channel is asked for by `_connparams`, without a connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = type("C", (), {"client": connection, "default_port": 6379})
        self.__class__ = type("Unconnected", (connection.transport.Channel,), {"__init__": lambda self: None})


SAME = [
    ("redis://h/2", ("h", None, None, 2)),
    ("redis://h?db=2", ("h", None, None, 2)),
    ("redis://h/?virtual_host=2", ("h", None, None, 2)),
    ("redis://h/2?db=2", ("h", None, None, 2)),
    ("redis://h", ("h", None, None, 0)),
    ("unix:///run/r.sock?db=2", ("/run/r.sock", None, None, 2)),
    ("redis+socket:///run/r.sock?virtual_host=2", ("/run/r.sock", None, None, 2)),
    ("unix:///run/r.sock", ("/run/r.sock", None, None, 0)),
    ("unix://u:p@/run/r.sock?db=1", ("/run/r.sock", "u", "p", 1)),
    ("unix:///run/r.sock?db=1&password=p&username=u", ("/run/r.sock", "u", "p", 1)),
    (with_password("redis://u@h/2", PASSWORD), ("h", "u", PASSWORD, 2)),
    (with_password("unix://u@/run/r.sock?db=2", PASSWORD), ("/run/r.sock", "u", PASSWORD, 2)),
]


@pytest.mark.parametrize(("text", "where"), SAME)
def test_address_means_the_same_to_all_readers(text: str, where: tuple[object, ...]):
    assert tuple(one or None for one in meant(text)[:3]) + meant(text)[3:] == where
    assert tuple(one or None for one in meant_by_celery(text)[:3]) + meant_by_celery(text)[3:] == where


WRONG = [
    "redis://:se/cret@h",
    "redis://:se#cret@h",
    "redis://:se?cret@h",
    "redis://u:se/cret@h:6379/0",
    "redis://:12/cret@h/0",
    "rediss://:[secret@h",
    "redis://:secret@h:port/0",
    "redis://:secret@h/one",
    "redis://:secret@h/1?db=2",
    "redis://:secret@h/1?socket_timeouts=2",
    "unix://:secret@h/run/r.sock",
    "unix://:secret@",
    ":secret@h",
    "redis:secret@h",
]


@pytest.mark.parametrize("text", WRONG)
def test_wrong_address_is_refused_without_a_part_of_its_password(text: str):
    with pytest.raises(Usage) as refused:
        RedisAddress.parse(text)
    assert "cret" not in str(refused.value), refused.value
    assert (
        "give one Redis" in str(refused.value)
        or "%XX" in str(refused.value)
        or "names" in str(refused.value)
        or ("parameter" in str(refused.value))
    )


@pytest.mark.parametrize("text", WRONG)
def test_address_is_shown_without_a_part_of_its_password(text: str):
    try:
        said = shown(text)
    except Usage as refused:
        said = str(refused)
    assert "cret" not in said, said


@pytest.mark.parametrize("strict", [False, True])
def test_an_authority_of_ones_own_is_judged_alike_on_every_python(monkeypatch: pytest.MonkeyPatch, strict: bool):
    monkeypatch.setattr("triggers.base.redis_address._STRICT_BY_DEFAULT", strict)
    own = RedisAddress.parse("rediss://h/0?ssl_ca_certs=/ca.pem")
    assert own.tls.get("ssl_exclude_verify_flags", []) == ([ssl.VERIFY_X509_STRICT] if strict else [])
    assert redis.SSLConnection(host="h", **own.tls), "redis-py takes it"
    assert "ssl_exclude_verify_flags" not in RedisAddress.parse("rediss://h/0").tls, (
        "those of the system are as they are"
    )
