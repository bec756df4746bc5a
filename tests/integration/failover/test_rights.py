"""A Redis user that lacks a right ends a start with the command that grants it; looking for it has no effect."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.commands.core import CoreCommands

from tests.conftest import redis_binaries
from triggers.base import redis_rights
from triggers.base.errors import Usage
from triggers.base.redis_rights import lacking, refuse_lacking
from triggers.ledger import connect
from triggers.local.processes import wait_until
from triggers.local.redis_server import PrivateRedis

SCRIPTS = Path(redis_rights.__file__).parents[1] / "ledger" / "scripts"
ENOUGH = ("on", ">s3cret", "~triggers:*", "resetchannels", "&triggers:*", "+@all", "-@dangerous", "+info")


@pytest.fixture(scope="module", params=redis_binaries().values(), ids=redis_binaries())
def admin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    server = PrivateRedis(tmp_path_factory.mktemp("redis"), server=request.param)
    with redis.Redis.from_url(server.start(), decode_responses=True) as client:
        yield client
    server.stop()


def url_with(admin: redis.Redis, *less: str, db: int = 0) -> str:
    channel = f"&triggers:celery:/{db}.celery.pidbox"  # subscribed to as a pattern: it has to be allowed literally
    admin.execute_command("ACL", "SETUSER", "someone", "reset", *ENOUGH, channel, *less)
    return f"unix://someone:s3cret@{admin.connection_pool.connection_kwargs['path']}?db={db}"


@pytest.mark.parametrize("db", [0, 15])
def test_a_user_with_enough_lacks_nothing(admin: redis.Redis, db: int) -> None:
    url = url_with(admin, db=db)
    with connect(url) as client:
        assert lacking(client, subscribes=True) == []
        assert client.ping()


def test_each_command_is_one_that_redis_would_carry_out(admin: redis.Redis) -> None:
    """One that Redis refuses for another reason would say nothing of the right to it."""
    connection: Any = admin.connection_pool.get_connection()
    try:
        redis_rights._ask(connection, [("MULTI",)])
        answers = redis_rights._ask(connection, list(redis_rights._commands("triggers")))
        assert {str(answer) for answer in answers} <= {"QUEUED", "b'QUEUED'"}, answers
    finally:
        connection.disconnect()
        admin.connection_pool.release(connection)


LESS = {
    ("-evalsha",): "+evalsha",
    ("-eval", "-script"): "+eval +script|exists +script|load",
    ("-watch",): "+watch",
    ("-ping",): "+ping",
    ("-publish",): "+publish",
    ("-psubscribe",): "+psubscribe",
    ("-brpop", "-zadd", "-xadd"): "+brpop +xadd +zadd",
    ("-@transaction",): "+discard +exec +multi +unwatch +watch",
    ("resetkeys", "~other:*"): "~triggers:*",
    ("resetkeys", "~triggers:{*"): "~triggers:*",
    ("resetchannels",): "&triggers:* &triggers:celery:/0.celery.pidbox",
    ("resetchannels", "&triggers:*"): "&triggers:* &triggers:celery:/0.celery.pidbox",
}


@pytest.mark.parametrize(("less", "rights"), LESS.items(), ids=" ".join)
def test_what_lacks_is_named_and_nothing_is_done(admin: redis.Redis, less: tuple[str, ...], rights: str) -> None:
    url = url_with(admin, *less)
    size = admin.dbsize()
    with connect(url) as client, pytest.raises(Usage) as refused:
        refuse_lacking(client, url, subscribes=True)
    said = str(refused.value)
    named = said.partition("ACL SETUSER USER ")[2].partition(";")[0]
    assert sorted(named.split(" ")) == sorted(rights.split(" ")), said
    assert "s3cret" not in said
    assert admin.dbsize() == size
    admin.execute_command("ACL", "SETUSER", "someone", *named.split(" "))
    with connect(url) as client:
        assert lacking(client, subscribes=True) == [], "what is named is all that lacks"


def test_a_script_needs_no_right_to_subscribe(admin: redis.Redis) -> None:
    with connect(url_with(admin, "-psubscribe", "-subscribe")) as client:
        assert lacking(client) == []
        assert lacking(client, subscribes=True) == ["+psubscribe"]


@pytest.mark.parametrize("less", [("-select",), ("-client",), ("-command",), ("-wait",), ("-config", "-keys")])
def test_what_is_not_needed_may_be_missing(admin: redis.Redis, less: tuple[str, ...]) -> None:
    with connect(url_with(admin, *less)) as client:
        assert lacking(client, subscribes=True) == []
        assert client.ping()


def test_a_redis_that_refuses_to_write_lacks_no_right(admin: redis.Redis) -> None:
    """It is full, or a replica: that passes, and is reported elsewhere."""
    url = url_with(admin)
    admin.config_set("maxmemory", "1")
    try:
        with connect(url) as client:
            assert lacking(client, subscribes=True) == []
    finally:
        admin.config_set("maxmemory", "0")


def test_every_command_of_the_ledger_is_looked_at() -> None:
    called = {
        name for file in SCRIPTS.glob("*.lua") for name in re.findall(r"redis\.call\('([A-Z]+)'", file.read_text())
    }
    looked_at = {command[0] for command in redis_rights._commands("triggers")}
    assert called - looked_at == {"INFO"}, "refused by `refuse_unsupported`"


#: Methods that redis-py has as well, for something else; and its names of what is looked at under another.
OTHERS = {
    "append", "command", "config_get", "copy", "delete", "digest", "dump", "hscan_iter", "info", "keys", "move",
    "publish", "register_script", "reset", "restore", "save", "script_load", "select", "shutdown", "sort", "wait",
    "watch",
}  # fmt: skip


def test_every_command_of_the_code_is_looked_at() -> None:
    """A new one belongs into `redis_rights`, or, if it is not a command of Redis, into the list above."""
    commands = {name for name in dir(CoreCommands) if not name.startswith("_")}
    root = Path(redis_rights.__file__).parents[2]
    calls = {
        node.func.attr
        for folder in ("triggers", "workers")
        for file in (root / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    looked_at = {command[0].lower() for command in redis_rights._commands("triggers")}
    assert (calls & commands) - looked_at <= OTHERS


def test_commands_that_a_provider_hides_are_named(tmp_path: Path) -> None:
    """No right to them can be granted."""
    socket = tmp_path / "redis.sock"
    hidden = [word for name in ("EVALSHA", "WATCH", "CONFIG", "CLIENT") for word in ("--rename-command", name, "")]
    command = [next(iter(redis_binaries().values())), "--port", "0", "--unixsocket", str(socket), "--save", "", *hidden]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        try:
            assert wait_until(socket.exists, 60)
            url = f"unix://{socket}"
            with connect(url) as client, pytest.raises(Usage, match="does not know the commands EVALSHA WATCH; use"):
                refuse_lacking(client, url, subscribes=True)
        finally:
            server.terminate()
