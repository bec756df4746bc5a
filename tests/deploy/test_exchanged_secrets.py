"""Secrets that are exchanged while the roles run: the password of Redis, the ClearML key pair, the place of notices."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from tests.deploy import compose
from tests.deploy.hosts import Service, eventually
from tests.deploy.test_flower import free_port
from triggers.base import redis_login
from triggers.base.redis_address import RedisAddress, with_password
from triggers.base.settings import Settings, with_notice_secrets_of_now
from triggers.ledger import connect

OLD, NEW = "of before/1", "of now@2"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "triggers_redis_password").write_text(OLD + "\n")
    return folder


@pytest.fixture
def server(tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a Redis with the password of before; this process is configured for it."""
    port = free_port()
    binary = next(iter(redis_binaries().values()))
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", OLD]
    service = Service([binary, *options], {}, tmp_path, tmp_path / "redis.log")
    eventually(lambda: "eady to accept" in (tmp_path / "redis.log").read_text(), "Redis answers")
    url = f"redis://127.0.0.1:{port}/0"
    monkeypatch.setenv("TRIGGERS_SECRETS_DIR", str(secrets))
    monkeypatch.setenv("TRIGGERS_REDIS_URL", url)
    monkeypatch.delenv("TRIGGERS_REDIS_PASSWORD", raising=False)
    yield url
    service.down()


def exchange(url: str, secrets: Path) -> redis.Redis:
    """Another password at Redis, then in the folder; every connection of before is cut off."""
    admin = redis.Redis.from_url(with_password(url, OLD))
    admin.config_set("requirepass", NEW)
    (secrets / "triggers_redis_password").write_text(NEW + "\n")
    admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes")
    return admin


def test_a_client_logs_in_with_the_password_of_now(server: str, secrets: Path):
    client = connect(with_password(server, OLD))
    assert client.ping()
    admin = exchange(server, secrets)
    assert client.ping()
    # a file that is away for a moment leaves the last one
    (secrets / "triggers_redis_password").unlink()
    client.connection_pool.disconnect()
    assert client.ping()
    client.close()
    admin.close()


def test_a_password_that_is_no_file_of_the_folder_stays(server: str, monkeypatch: pytest.MonkeyPatch):
    whole = RedisAddress.parse(with_password(server, OLD))
    assert redis_login.rereads(whole)
    assert redis_login.FOR_CELERY in redis_login.for_celery(whole)
    assert not redis_login.rereads(RedisAddress.parse(server.replace("/0", "/1").replace("//", "//:x@")))
    monkeypatch.setenv("TRIGGERS_REDIS_URL", with_password(server, OLD))
    assert not redis_login.rereads(whole)
    monkeypatch.setenv("TRIGGERS_REDIS_URL", server)
    monkeypatch.setenv("TRIGGERS_REDIS_PASSWORD", OLD)
    assert not redis_login.rereads(whole)
    assert redis_login.for_celery(whole) == whole.for_celery


def test_worker_and_beat_run_on_when_the_password_of_redis_is_exchanged(server: str, secrets: Path, tmp_path: Path):
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TRIGGERS_REDIS_URL": server,
        "TRIGGERS_SECRETS_DIR": str(secrets),
        "PYTHONPATH": str(compose.ROOT),
        "CLEARML_API_HOST": "http://127.0.0.1:9",
        "CLEARML_API_ACCESS_KEY": "nobody",
        "CLEARML_API_SECRET_KEY": "nothing",
    }
    logs = {name: tmp_path / f"{name}.log" for name in ("worker", "beat")}
    roles = {
        name: Service(["celery", "-A", "workers", *command, "--loglevel=INFO"], environ, tmp_path, logs[name])
        for name, command in {"worker": ["worker", "-Q", "poll", "-n", "exchange@here"], "beat": ["beat"]}.items()
    }

    def taken() -> int:
        return logs["worker"].read_text().count("Task triggers.poll")

    try:
        eventually(taken, "the schedule ticks and the worker takes")
        admin = exchange(server, secrets)
        before = taken()
        eventually(lambda: taken() > before + 1, "both go on with the new password", seconds=90)
        names = {client["name"] for client in admin.client_list()}
        assert names, "they are connected"
        assert {name: role.starts for name, role in roles.items()} == {"worker": 1, "beat": 1}
        assert not [log for log in logs.values() if NEW in log.read_text() or OLD in log.read_text()]
        admin.close()
    finally:
        for role in roles.values():
            role.down()


def test_notices_go_where_the_folder_says_now(secrets: Path):
    environ = {"TRIGGERS_SECRETS_DIR": str(secrets)}
    of = Settings(notice_webhook_url="https://before.example", notice_webhook_secret="of before")
    assert with_notice_secrets_of_now(of, environ) == of
    (secrets / "triggers_notice_webhook_url").write_text("https://now.example\n")
    (secrets / "triggers_notice_webhook_secret").write_text("of now\n")
    now = with_notice_secrets_of_now(of, environ)
    assert (now.notice_webhook_url, now.notice_webhook_secret) == ("https://now.example", "of now")
    kept = with_notice_secrets_of_now(of, {**environ, "TRIGGERS_NOTICE_WEBHOOK_URL": "https://before.example"})
    assert kept.notice_webhook_url == "https://before.example"
