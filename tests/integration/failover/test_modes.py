"""A node of a Cluster and a Sentinel are refused at the start, by every server: they name their mode differently."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from tests.eventually import eventually
from triggers.base.errors import Usage
from triggers.base.redis_address import refuse_unsupported
from triggers.ledger import connect

BINARIES = redis_binaries()


@pytest.fixture
def port() -> int:
    """A free port with another one for the bus of a Cluster, which is higher by 10,000."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with suppress(OSError, OverflowError):  # taken, or higher than ports are
                bus.bind(("127.0.0.1", port + 10_000))
                return port


@pytest.fixture(params=["cluster", "sentinel"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(BINARIES))
def client(request: pytest.FixtureRequest, mode: str, port: int, tmp_path: Path) -> Iterator[redis.Redis]:
    lines = [f"port {port}", "bind 127.0.0.1", f'dir "{tmp_path}"']
    lines += ["cluster-enabled yes"] if mode == "cluster" else ["sentinel monitor primary 127.0.0.1 1 1"]
    file = tmp_path / "server.conf"
    file.write_text("\n".join(lines) + "\n")
    command = [BINARIES[request.param], str(file), *(["--sentinel"] if mode == "sentinel" else [])]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with connect(f"redis://127.0.0.1:{port}/0") as client:
        try:
            eventually(lambda: answers(client), "the server answers")
            yield client
        finally:
            process.kill()
            process.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def test_it_is_refused_with_the_mode_and_what_to_use(client: redis.Redis, mode: str, port: int) -> None:
    with pytest.raises(Usage, match=f"runs as {mode}: Sentinel and Cluster are not supported.*give one Redis"):
        refuse_unsupported(client, f"redis://127.0.0.1:{port}/0")
