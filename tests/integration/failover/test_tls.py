"""TLS that cannot succeed ends a start with its reason: waiting would not change it."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from tests.deploy.hosts import eventually
from tests.deploy.provider import Provider, made_certificates, provided
from tests.deploy.test_flower import free_port
from triggers.base import redis_refusals
from triggers.base.errors import Usage
from triggers.base.redis_address import refuse_unsupported
from triggers.ledger import connect

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    for provider in provided(list(redis_binaries().values())[-1], tmp_path_factory.mktemp("provider"), idle_seconds=60):
        with redis.Redis.from_url(provider.admin_url) as admin:
            admin.execute_command("ACL", "SETUSER", "someone", "on", ">sesame", "~*", "&*", "+@all")
        yield provider


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    made_certificates(folder)
    return folder / "ca.pem"


def refusal(url: str) -> str:
    with pytest.raises(Usage) as refused, connect(url) as client:
        refuse_unsupported(client, url)
    said = str(refused.value)
    assert "sesame" not in said
    return said


def test_the_right_authority_is_accepted(provider: Provider) -> None:
    with connect(provider.url) as client:
        refuse_unsupported(client, provider.url)
        assert client.ping()


def test_an_unknown_authority_is_named_as_the_reason(provider: Provider, other_authority: Path) -> None:
    for url in (provider.url.partition("?")[0], re.sub("=.*", f"={other_authority}", provider.url)):
        assert re.search(r"certificate is not accepted: see ssl_ca_certs .*\(CERTIFICATE: .*certificate", refusal(url))


def test_a_certificate_of_another_host_is_named_as_the_reason(provider: Provider) -> None:
    assert re.search(r"\(CERTIFICATE: .*localhost", refusal(provider.url.replace("127.0.0.1", "localhost")))


@pytest.mark.parametrize("change", ["ssl_check_hostname=false", "ssl_cert_reqs=none"])
def test_what_is_not_checked_is_not_refused(provider: Provider, change: str) -> None:
    url = provider.url.replace("127.0.0.1", "localhost") + f"&{change}"
    with connect(url) as client:
        refuse_unsupported(client, url)
        assert client.ping()


def test_a_redis_without_tls_is_named_as_the_reason(tmp_path: Path) -> None:
    """It takes the greeting for the beginning of a command, and waits for the rest."""
    port = free_port()
    command = [list(redis_binaries().values())[-1], "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen([*command, "--requirepass", "sesame"], cwd=tmp_path, stdout=subprocess.DEVNULL) as server:
        try:
            plain = f"redis://:sesame@127.0.0.1:{port}/0"
            with connect(plain) as client:
                eventually(lambda: answers(client), "Redis answers")
                refuse_unsupported(client, plain)
            assert "it does not speak TLS at this port: write redis://" in refusal(f"rediss{plain[5:]}")
        finally:
            server.terminate()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.mark.parametrize("name", ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile"])
@pytest.mark.parametrize("path", ["/nowhere/ca.pem", "/"])
def test_a_file_that_is_not_there_is_named(name: str, path: str) -> None:
    assert f"{name}={path} in the Redis address" in refusal(f"rediss://:sesame@127.0.0.1:9/0?{name}={path}")


def test_a_file_without_a_certificate_is_named_as_the_reason(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate\n")
    assert "TLS" in refusal(re.sub("=.*", f"={tmp_path / 'empty.pem'}", provider.url))


def test_an_expired_certificate_is_named_as_the_reason(tmp_path: Path) -> None:
    for provider in provided(list(redis_binaries().values())[-1], tmp_path, idle_seconds=60):
        _expire(tmp_path)
        provider.front._context.load_cert_chain(tmp_path / "redis.pem", tmp_path / "redis.key")
        assert "(CERTIFICATE: certificate has expired)" in refusal(provider.url)


def _expire(folder: Path) -> None:
    """Sign the certificate once more, for a year long ago: `openssl x509` of today takes no dates."""
    (folder / "ca.conf").write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
        "policy=any\n[any]\ncommonName=supplied\n"
    )
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    dates = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"]
    signed = ["-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-extfile", "names", "-batch", "-notext"]
    command = ["openssl", "ca", *signed, *dates, "-in", "redis.csr", "-out", "redis.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_a_peer_that_closes_is_not_taken_for_a_fault_of_tls() -> None:
    """It restarts: waiting helps."""
    error = redis.ConnectionError("Error while reading")
    error.__context__ = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    assert redis_refusals.code_of(error) == "CONNECTION"
    assert not redis_refusals.needs_person(error)


@pytest.mark.parametrize("db", [16, 99])
def test_a_database_that_is_not_there_is_named_as_the_reason(redis_url: str, db: int) -> None:
    assert "it has no database of this number" in refusal(f"{redis_url}?db={db}")
