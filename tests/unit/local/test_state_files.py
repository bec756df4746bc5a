"""Which state folders a server would pass over, to begin empty or with less."""

from __future__ import annotations

from pathlib import Path

import pytest

from triggers.local.state_files import damage

BASE, INCR, NEXT = (
    "appendonly.aof.1.base.rdb",
    "appendonly.aof.1.incr.aof",
    "appendonly.aof.2.incr.aof",
)
HEAD = f"file {BASE} seq 1 type b\n"
WHOLE = HEAD + f"file {INCR} seq 1 type i\n"


def folder_of(tmp_path: Path, manifest: str | None, parts: dict[str, bytes], beside: dict[str, bytes]) -> Path:
    if manifest is not None or parts:
        (tmp_path / "appendonlydir").mkdir()
    if manifest is not None:
        (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text(manifest)
    for name, content in parts.items():
        (tmp_path / "appendonlydir" / name).write_bytes(content)
    for name, content in beside.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("manifest", "parts", "beside"),
    [
        (None, {}, {}),
        (WHOLE, {BASE: b"REDIS", INCR: b""}, {}),
        (WHOLE, {BASE: b"REDIS", INCR: b"*1"}, {"dump.rdb": b"REDIS"}),
        # of a rewrite that a crash ended: before the manifest named the new part, or while the old ones were removed
        (WHOLE, {BASE: b"REDIS", INCR: b"*1", NEXT: b""}, {}),
        (WHOLE, {BASE: b"REDIS", INCR: b"*1", "appendonly.aof.2.base.rdb": b"REDIS"}, {}),
        (WHOLE.replace("1", "2"), {BASE: b"REDIS", "appendonly.aof.2.base.rdb": b"REDIS", NEXT: b""}, {}),
        (WHOLE, {BASE: b"REDIS", INCR: b"*1", "temp-rewriteaof-bg-9.aof": b"REDIS"}, {}),
        # as Redis 6.2 leaves it, and as Redis 7 takes it over
        (None, {}, {"appendonly.aof": b""}),
        (None, {}, {"appendonly.aof": b"*1", "dump.rdb": b"REDIS"}),
        ("file appendonly.aof seq 1 type b\n" + WHOLE.removeprefix(HEAD), {"appendonly.aof": b"", INCR: b"*1"}, {}),
        (None, {}, {"dump.rdb": b""}),
    ],
)
def test_what_servers_leave_is_read(
    tmp_path: Path, manifest: str | None, parts: dict[str, bytes], beside: dict[str, bytes]
) -> None:
    assert damage(folder_of(tmp_path, manifest, parts, beside)) == ""


@pytest.mark.parametrize(
    ("manifest", "parts", "beside", "why"),
    [
        (None, {BASE: b"REDIS", INCR: b"*1"}, {}, "has no appendonly.aof.manifest, which lists its 2 files"),
        (None, {INCR: b"*1"}, {"appendonly.aof": b"*1"}, "has no appendonly.aof.manifest"),
        (HEAD, {BASE: b"REDIS", INCR: b"*1"}, {}, f"is truncated: it does not list {INCR}"),
        (WHOLE, {BASE: b"REDIS", INCR: b"*1", NEXT: b"*1"}, {}, f"is truncated: it does not list {NEXT}"),
        ("", {BASE: b"REDIS", INCR: b"*1"}, {}, f"is truncated: it does not list {INCR}"),
        (WHOLE, {BASE: b"", INCR: b"*1"}, {}, f"{BASE} is empty"),
        (WHOLE, {BASE: b"", INCR: b""}, {}, f"{BASE} is empty"),
        (None, {}, {"dump.rdb": b"REDIS"}, "it has a snapshot (dump.rdb) and no append-only file"),
        (None, {}, {"dump.rdb": b"REDIS", "appendonly.aof": b""}, "it has a snapshot (dump.rdb)"),
    ],
)
def test_what_a_server_would_pass_over_is_named(
    tmp_path: Path, manifest: str | None, parts: dict[str, bytes], beside: dict[str, bytes], why: str
) -> None:
    said = damage(folder_of(tmp_path, manifest, parts, beside))
    assert why in said
    assert str(tmp_path) in said
    assert "nothing was changed" in said
    assert "TRIGGERS_STATE_FOLDER" in said
