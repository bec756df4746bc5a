"""Which servers can read which state folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from triggers.local.written_by import Writer, read

VERSIONS = [
    Writer("redis", (6, 2, 14)), Writer("redis", (7, 0, 15)), Writer("redis", (7, 2, 5)), Writer("redis", (7, 4, 1)),
    Writer("redis", (8, 2, 0)), Writer("valkey", (7, 2, 5)), Writer("valkey", (8, 1, 0)), Writer("valkey", (9, 1, 2)),
]  # fmt: skip
#: For each of them, whether it reads what each of them wrote.
READS = [
    "x.......",
    "xx......",
    "xxx..xx.",
    "xxxx.xx.",
    "xxxxxxx.",
    "xxx..x..",
    "xxx..xx.",
    "xxx..xxx",
]


@pytest.mark.parametrize(("reader", "row"), zip(VERSIONS, READS, strict=True), ids=str)
def test_who_reads_whose_files(reader: Writer, row: str) -> None:
    assert "".join("x" if reader.can_read(written) else "." for written in VERSIONS) == row


def test_a_release_that_differs_in_its_last_number_writes_alike() -> None:
    assert Writer("redis", (7, 0, 0)).can_read(Writer("redis", (7, 0, 15)))


def test_a_folder_without_parts_is_read_by_anybody(tmp_path: Path) -> None:
    assert read(tmp_path / "not there") is None
    Writer("valkey", (9, 1, 2)).record(tmp_path)
    (tmp_path / "appendonly.aof").write_text("as Redis 6.2 writes it")
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    ("head", "writer"),
    [
        (b"REDIS0010", Writer("redis", (7, 0, 0))),
        (b"REDIS0011", Writer("redis", (7, 2, 0))),
        (b"REDIS0012", Writer("redis", (7, 4, 0))),
        (b"REDIS0013", Writer("redis", (7, 4, 0))),
        (b"VALKEY080", Writer("valkey", (9, 0, 0))),
        (b"", Writer("redis", (7, 0, 0))),
        (b"REDISxxxx", Writer("redis", (7, 0, 0))),
    ],
)
def test_without_a_record_the_files_say_who_wrote_them(tmp_path: Path, head: bytes, writer: Writer) -> None:
    parts = tmp_path / "appendonlydir"
    parts.mkdir()
    (parts / "appendonly.aof.1.base.rdb").write_bytes(head)
    assert read(tmp_path) == writer
    (tmp_path / "server.json").write_text("{")
    assert read(tmp_path) == writer
    recorded = Writer("redis", (8, 2, 0), "/a/redis-server")
    if writer.kind == "valkey":
        recorded = Writer("valkey", (9, 1, 2), "/a/valkey-server")
    recorded.record(tmp_path)
    assert read(tmp_path) == recorded


@pytest.mark.parametrize(
    ("recorded", "head", "writer"),
    [
        (Writer("redis", (6, 2, 14)), b"REDIS0009", Writer("redis", (7, 0, 0))),
        (Writer("redis", (7, 0, 15)), b"REDIS0012", Writer("redis", (7, 4, 0))),
        (Writer("redis", (7, 0, 15)), b"VALKEY080", Writer("valkey", (9, 0, 0))),
        (Writer("valkey", (8, 1, 0)), b"VALKEY080", Writer("valkey", (9, 0, 0))),
    ],
)
def test_files_of_a_later_server_count_more_than_the_record(
    tmp_path: Path, recorded: Writer, head: bytes, writer: Writer
) -> None:
    """A process died, or the disk was full, between the start of a server and its record."""
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "appendonly.aof.1.base.rdb").write_bytes(head)
    recorded.record(tmp_path)
    assert read(tmp_path) == writer
    assert recorded.problem_with(tmp_path)


def test_the_problem_names_folder_servers_and_fix(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    Writer("valkey", (9, 1, 2), "/new/valkey-server").record(tmp_path)
    problem = Writer("redis", (7, 0, 15), "/usr/bin/redis-server").problem_with(tmp_path)
    for part in (str(tmp_path), "Valkey 9.1.2", "Redis 7.0.15 at /usr/bin/redis-server", "TRIGGERS_REDIS_SERVER"):
        assert part in problem
    assert "/new/valkey-server" in problem
