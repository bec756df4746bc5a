"""Redis as companies run it: TLS, a password, an ACL user. Sentinel and Cluster are refused in words."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.deploy.hosts import Service, eventually
from tests.deploy.test_flower import free_port
from triggers.base.errors import Usage
from triggers.base.redis_address import RedisAddress, refuse_unsupported, shown, with_password
from triggers.base.settings import Settings
from triggers.ledger import connect

SERVER = shutil.which("redis-server") or shutil.which("valkey-server") or ""
PASSWORD = "p@ss:w/rd, of; acl"


def test_address_is_read_for_all_three_of_its_readers():
    plain = RedisAddress.parse("redis://user:secret@redis.example:6380/2")
    assert (plain.url, plain.tls) == ("redis://user:secret@redis.example:6380/2", {})
    socket = RedisAddress.parse("redis+socket:///run/redis.sock?virtual_host=1")
    assert socket.url == "unix:///run/redis.sock?db=1"
    assert RedisAddress.parse("unix:///run/redis.sock").for_celery == "redis+socket:///run/redis.sock?virtual_host=0"
    tls = RedisAddress.parse("rediss://redis.example/0?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=CERT_REQUIRED")
    assert tls.url == "rediss://redis.example/0"
    asked = {name: value for name, value in tls.tls.items() if name != "ssl_exclude_verify_flags"}
    assert asked == {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": "/etc/ca.pem"}
    unchecked = RedisAddress.parse("rediss://redis.example/0?ssl_cert_reqs=none").tls
    assert unchecked == {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}


@pytest.mark.parametrize(
    "url",
    [
        "sentinel://:secret@one:26379;sentinel://:secret@two:26379",
        "redis-sentinel://:secret@one/0",
        "redis+cluster://:secret@one",
        "redis://:secret@one:6379,two:6379/0",
        "http://:secret@one",
        "rediss://:secret@one/0?ssl_cert_reqs=maybe",
    ],
)
def test_what_is_no_single_redis_is_refused_without_its_password(url: str):
    with pytest.raises(Usage) as refusal:
        RedisAddress.parse(url)
    assert "secret" not in str(refusal.value)


def test_password_is_joined_where_the_address_has_none():
    assert with_password("redis://redis/0", PASSWORD).startswith("redis://:p%40ss%3Aw%2Frd%2C%20of%3B%20acl@redis/0")
    assert with_password("redis://user@redis/0", "x") == "redis://user:x@redis/0"
    assert with_password("redis://:own@redis/0", "x") == "redis://:own@redis/0"
    settings = Settings(redis_url="redis://redis/0", redis_password=PASSWORD)
    assert settings.redis_url == with_password("redis://redis/0", PASSWORD)
    assert "of; acl" not in repr(settings)
    assert "p%40ss" not in repr(settings)
    assert shown(str(settings.redis_url)) == "redis://:***@redis/0"


def test_secrets_are_read_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from triggers.base.settings import settings
    from triggers.clearml_api import Credentials

    (tmp_path / "triggers_redis_password").write_text("of a file\n")
    (tmp_path / "clearml_api_secret_key").write_text("secret of a file\n")
    monkeypatch.setenv("TRIGGERS_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://redis/0")
    settings.cache_clear()
    try:
        assert settings().redis_url == "redis://:of%20a%20file@redis/0"
    finally:
        settings.cache_clear()
    environ = {"CLEARML_API_HOST": "https://server", "CLEARML_API_ACCESS_KEY": "k"}
    assert Credentials.resolve({**environ, "TRIGGERS_SECRETS_DIR": str(tmp_path)}).secret_key == "secret of a file"


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., int]]:
    servers: list[Service] = []

    def start(*options: str, tls: bool = False) -> int:
        # a node of a Cluster takes the port 10,000 above its own too
        port = next(port for port in iter(free_port, 0) if port < 55_000)
        ports = ["--port", "0", "--tls-port", str(port)] if tls else ["--port", str(port)]
        command = [SERVER, *ports, "--bind", "127.0.0.1", "--save", "", *options]
        log = tmp_path / f"redis-{port}.log"
        servers.append(Service(command, {}, tmp_path, log))
        eventually(lambda: "eady to accept" in log.read_text(), "Redis answers")
        return port

    yield start
    for server in servers:
        server.down()


def made_certificates(folder: Path) -> list[str]:
    """A certificate of 127.0.0.1 signed by an authority of its own; the options of Redis."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
    openssl("req", *curve, "-subj", "/CN=redis", "-keyout", "redis.key", "-out", "redis.csr")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2"]
    openssl("x509", "-req", "-in", "redis.csr", *signed, "-out", "redis.pem")
    files = {"tls-cert-file": "redis.pem", "tls-key-file": "redis.key", "tls-ca-cert-file": "ca.pem"}
    options = [part for name, file in files.items() for part in (f"--{name}", str(folder / file))]
    return [*options, "--tls-auth-clients", "no"]


def run_role(url: str, folder: Path, role: list[str]) -> Service:
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TRIGGERS_REDIS_URL": url,
        "TRIGGERS_HEALTH_FILE": str(folder / f"{role[0]}.json"),
        "CLEARML_API_HOST": "http://127.0.0.1:9",
        "CLEARML_API_ACCESS_KEY": "nobody",
        "CLEARML_API_SECRET_KEY": "nothing",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return Service(["celery", "-A", "workers", *role], environ, folder, folder / f"{role[0]}.log")


@pytest.mark.skipif(not SERVER or not shutil.which("openssl"), reason="needs a redis-server with TLS, and openssl")
def test_workers_and_beat_run_over_tls_as_an_acl_user(start_redis: Any, tmp_path: Path):
    acl = tmp_path / "users.acl"
    acl.write_text("user default off\nuser triggers on >right ~* &* +@all\n")
    port = start_redis(*made_certificates(tmp_path), "--aclfile", str(acl), tls=True)
    url = f"rediss://triggers:right@127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
    with pytest.raises(redis.RedisError):
        connect(url.replace("right", "wrong")).ping()
    with pytest.raises(redis.ConnectionError, match="certificate"):
        connect(url.partition("?")[0]).ping()
    client = connect(url)
    roles = [
        run_role(url, tmp_path, ["worker", "-Q", "poll", "-n", "tls@here", "--loglevel=INFO"]),
        run_role(url, tmp_path, ["beat", "--loglevel=INFO"]),
    ]
    try:
        log = tmp_path / "worker.log"
        eventually(lambda: "triggers.alive" in log.read_text() and "succeeded" in log.read_text(), "it takes")
        eventually(lambda: "Task triggers.poll" in log.read_text(), "the schedule ticks")
        assert "right@" not in log.read_text()
    finally:
        for role in roles:
            role.down()
        client.close()


@pytest.mark.skipif(not SERVER or not shutil.which("openssl"), reason="needs a redis-server with TLS, and openssl")
def test_what_a_redis_with_tls_wants_is_named(start_redis: Any, tmp_path: Path):
    port = start_redis(*made_certificates(tmp_path), "--tls-auth-clients", "yes", tls=True)
    url = f"rediss://:secret@127.0.0.1:{port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
    for wrong, why in (
        (url, "(TLS: TLSV13_ALERT_CERTIFICATE_REQUIRED)"),
        (f"redis://:secret@127.0.0.1:{port}/0", "it requires TLS: write rediss://"),
    ):
        for _ in range(10):  # which side closes first differs
            with pytest.raises(Usage) as refused, connect(wrong) as client:
                refuse_unsupported(client, wrong)
            assert why in str(refused.value)
            assert "secret" not in str(refused.value)
    files = f"&ssl_certfile={tmp_path / 'redis.pem'}&ssl_keyfile={tmp_path / 'redis.key'}"
    with connect(url.replace(":secret@", "") + files) as client:
        refuse_unsupported(client, url)
        assert client.ping()


@pytest.mark.skipif(not SERVER, reason="needs a Redis on PATH")
def test_a_node_of_a_cluster_is_refused_at_start(start_redis: Any, tmp_path: Path):
    port = start_redis("--cluster-enabled", "yes")
    url = f"redis://:secret@127.0.0.1:{port}/0".replace(":secret@", "")
    client = connect(url)
    with pytest.raises(Usage, match="runs as cluster"):
        refuse_unsupported(client, url)
    client.close()
    for role in (["worker", "-Q", "poll"], ["beat"]):
        service = run_role(url, tmp_path, role)
        try:
            log = tmp_path / f"{role[0]}.log"
            eventually(lambda log=log: "Sentinel and Cluster are not supported" in log.read_text(), "it says why")
        finally:
            service.down()


def test_a_redis_that_is_away_is_not_refused():
    refuse_unsupported(redis.Redis(port=9, socket_connect_timeout=1), "redis://127.0.0.1:9/0")
