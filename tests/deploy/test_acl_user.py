"""The user of Redis that docs/deployment.md writes down: enough for everything, and for nothing of others."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.acceptance.conftest import SCRIPT, Desk, desk, eventually
from tests.deploy import compose
from triggers.base import redis_rights

__all__ = ["desk"]

pytestmark = pytest.mark.slow

ROLES = (("worker", "-Q", "poll"), ("worker", "-Q", "match"), ("worker", "-Q", "dispatch,act"), ("beat",))
VERBS = (["list"], ["status"], ["history"], ["pause", "--all"], ["resume", "--all"], ["audit"], ["doctor"])
PAGE = compose.ROOT / "docs" / "deployment.md"


def rule(prefix: str) -> list[str]:
    """The words of the page's rule, for a team with a prefix."""
    (line,) = re.findall(r"^    user triggers (.*)$", PAGE.read_text(), re.MULTILINE)
    return line.replace("PASSWORD", "sesame").replace("triggers:", f"{prefix}:").split()


@pytest.fixture
def admin(redis_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    client.flushall()
    for team in ("triggers", "other"):
        client.execute_command("ACL", "SETUSER", team, "reset", *rule(team))
    client.acl_log_reset()
    yield client
    for team in ("triggers", "other"):
        client.execute_command("ACL", "DELUSER", team)
    client.close()


#: Beside what is looked at before a start: what `refuse_unsupported` asks, and reading from a queue.
ASKED = ("info", "ping", "watch", "unwatch", "multi", "exec", "discard", "publish", "psubscribe", "subscribe")


def exact(prefix: str) -> list[str]:
    """A user with the commands that a start looks at, and no others: that list has to be complete."""
    commands = {command[0].lower() for command in redis_rights._commands(prefix)} - {"script"}
    granted = [
        f"+{name}"
        for name in (*sorted(commands), "script|load", "script|exists", *ASKED, "punsubscribe", "unsubscribe", "select")
    ]
    return [*(word for word in rule(prefix) if word[:1] not in "+-"), "-@all", *granted]


def url_of(admin: redis.Redis, team: str) -> str:
    return f"unix://{team}:sesame@{admin.connection_pool.connection_kwargs['path']}?db=0"


@pytest.mark.parametrize("rights", [rule, exact])
def test_a_cluster_of_such_a_user_fires_once_and_every_verb_answers(
    desk: Desk, admin: redis.Redis, rights: Callable[[str], list[str]]
) -> None:
    admin.execute_command("ACL", "SETUSER", "triggers", "reset", *rights("triggers"))
    desk.environment["TRIGGERS_REDIS_URL"] = url_of(admin, "triggers")
    programs = Path(sys.executable).parent
    for role in ROLES:
        desk.run(str(programs / "celery"), "-A", "clearml_triggers", *role, "--loglevel=WARNING")
    desk.run(sys.executable, str(desk.write("my_script.py", SCRIPT)))
    eventually(desk._registered, "polls", told=desk.output)
    first = desk.fail_task()
    eventually(lambda: desk.launched_for() == {first: 1}, "the launch", told=desk.output)
    said = ""
    for verb in VERBS:
        command = [programs / "clearml-triggers", *verb]
        done = subprocess.run(command, env=desk.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (verb, done.stdout + done.stderr)
        said += done.stdout + done.stderr
    assert "NOPERM" not in said + desk.output()
    refused = {entry["object"] for entry in admin.acl_log() if entry["username"] == "triggers"}
    # settings are asked for by `doctor`; redis-py says its own name and does not mind a refusal
    assert refused <= {"config|get", "config", "client|setinfo", "client"}


@pytest.mark.parametrize(
    "command",
    [
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "requirepass"),
        ("SHUTDOWN",),
        ("GET", "other:instance"),
        ("SET", "unrelated", "1"),
        ("PUBLISH", "other:celery:x", "1"),
        ("SCRIPT", "FLUSH"),
        ("EVAL", "return redis.call('GET', 'other:instance')", "0"),
    ],
    ids=" ".join,
)
def test_such_a_user_reaches_nothing_else(admin: redis.Redis, command: tuple[str, ...]) -> None:
    client = redis.Redis.from_url(url_of(admin, "triggers"))
    with pytest.raises(redis.RedisError, match=r"(?i)permission|NOPERM|can't (run|access)"):
        client.execute_command(*command)
    client.close()
