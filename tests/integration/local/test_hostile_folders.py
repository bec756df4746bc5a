"""State folders as crashes, full disks, copies and other users leave them: read as a whole, or refused unchanged."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from triggers.base.errors import StoreUnavailable, TriggersError, Usage
from triggers.local.processes import start_time, wait_until
from triggers.local.redis_server import PrivateRedis
from triggers.local.supervisor import Supervisor

#: Redis 6.2 has one file in place of parts.
OF_PARTS = {name: path for name, path in redis_binaries().items() if name != "redis-6.2"}
ANY = next(iter(redis_binaries().values()))
REPOSITORY = Path(__file__).parents[3]


def data(folder: Path) -> dict[str, bytes]:
    """What counts of a folder: not the log, not what a start writes for the server."""
    own = {"redis.log", "redis.conf", "lock"}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in own
    }


def value(folder: Path, binary: str) -> bytes | None:
    server = PrivateRedis(folder, server=binary)
    try:
        with redis.Redis.from_url(server.start()) as client:
            found: bytes | None = client.get("key")
            return found
    finally:
        server.stop()


@pytest.fixture(params=sorted(OF_PARTS))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A folder with a value in its snapshot, another in the changes since, and the server that wrote it."""
    folder, binary = tmp_path / "state", OF_PARTS[request.param]
    server = PrivateRedis(folder, server=binary)
    with redis.Redis.from_url(server.start()) as client:
        client.set("key", "older")
        client.bgrewriteaof()
        wait_until(
            lambda: (
                client.info("persistence")["aof_rewrites"]  # type: ignore[index]
                and not client.info("persistence")["aof_rewrite_in_progress"]  # type: ignore[index]
            ),
            60,
        )
        client.set("key", "latest")
    server.stop()
    return folder, binary


def parts(folder: Path, end: str) -> Path:
    (found,) = (folder / "appendonlydir").glob(f"*{end}")
    return found


def without_manifest(folder: Path) -> None:
    parts(folder, ".manifest").unlink()


def manifest_without_its_last_line(folder: Path) -> None:
    manifest = parts(folder, ".manifest")
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:-1]))


def empty_manifest(folder: Path) -> None:
    parts(folder, ".manifest").write_bytes(b"")


def empty_snapshot(folder: Path) -> None:
    parts(folder, ".rdb").write_bytes(b"")


def snapshot_alone(folder: Path) -> None:
    parts(folder, ".rdb").rename(folder / "dump.rdb")
    shutil.rmtree(folder / "appendonlydir")


def half_a_line_of_the_manifest(folder: Path) -> None:
    manifest = parts(folder, ".manifest")
    manifest.write_bytes(manifest.read_bytes()[:-9])


def without_the_changes(folder: Path) -> None:
    parts(folder, ".incr.aof").unlink()


def without_the_snapshot(folder: Path) -> None:
    parts(folder, ".rdb").unlink()


def damaged_changes(folder: Path) -> None:
    changes = parts(folder, ".incr.aof")
    changes.write_bytes(b"nonsense\r\n" + changes.read_bytes())


def cut_snapshot(folder: Path) -> None:
    snapshot = parts(folder, ".rdb")
    snapshot.write_bytes(snapshot.read_bytes()[:-12])


DAMAGES = [
    without_manifest, manifest_without_its_last_line, empty_manifest, empty_snapshot, snapshot_alone,
    half_a_line_of_the_manifest, without_the_changes, without_the_snapshot, damaged_changes, cut_snapshot,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_folder_is_refused_unchanged(written: tuple[Path, str], damage: Callable[[Path], None]) -> None:
    folder, binary = written
    backup = folder.with_name("backup")
    shutil.copytree(folder, backup)
    damage(folder)
    before = data(folder)
    for _ in range(2):  # a refusal leaves nothing that makes the next start a success
        with pytest.raises(TriggersError) as refused:
            PrivateRedis(folder, server=binary).start()
        assert isinstance(refused.value, (Usage, StoreUnavailable))
        assert str(folder) in str(refused.value)
        assert data(folder) == before
    shutil.rmtree(folder)
    backup.rename(folder)
    assert value(folder, binary) == b"latest"


def test_changes_that_a_crash_cut_are_read_up_to_there(written: tuple[Path, str]) -> None:
    folder, binary = written
    changes = parts(folder, ".incr.aof")
    changes.write_bytes(changes.read_bytes()[:-3])
    assert value(folder, binary) == b"older"


def test_a_folder_that_takes_no_byte_is_refused_in_words(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from triggers.local.redis_server import PrivateRedis;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
        "PrivateRedis(Path(sys.argv[1])).start()"
    )
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, str(tmp_path / "state")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("triggers.base.errors.Usage: the state folder"), done.stderr
    assert "cannot be written (File too large)" in last
    assert not (tmp_path / "state" / "lock").exists()
    assert value(tmp_path / "state", ANY) is None


def test_a_disk_that_is_full_when_the_server_has_started_is_reported_and_frees_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    server = PrivateRedis(tmp_path / "state", server=ANY)
    monkeypatch.setattr("triggers.local.written_by.private_files.write", full)
    with pytest.raises(Usage, match=r"No space left on device\): free space there, or set TRIGGERS_STATE_FOLDER"):
        server.start()
    assert server.pid is None
    monkeypatch.undo()
    assert value(tmp_path / "state", ANY) is None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/state/appendonlydir")

    monkeypatch.setattr("triggers.local.redis_server.find_server", closed)
    with pytest.raises(Usage, match=r"cannot be read \(/state/appendonlydir: Permission denied\)"):
        PrivateRedis(tmp_path / "state", server=ANY).start()


def test_a_folder_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="is not UTF-8 text"):
        PrivateRedis(tmp_path / os.fsdecode(b"\xff"), server=ANY)


@pytest.fixture
def wrapper(tmp_path: Path) -> Iterator[PrivateRedis]:
    """A server that a shell script starts, and waits for."""
    script = tmp_path / "redis-server"
    script.write_text(f'#!/bin/sh\n{ANY} "$@"\nexit $?\n')
    script.chmod(0o755)
    server = PrivateRedis(tmp_path / "state", server=str(script))
    yield server
    server.stop()


def test_a_server_behind_a_wrapper_ends_with_it(wrapper: PrivateRedis) -> None:
    for _ in range(2):
        with redis.Redis.from_url(wrapper.start()) as client:
            pid = int(client.info("server")["process_id"])  # type: ignore[index]
            client.set("key", "value")
        assert pid != wrapper.pid
        wrapper.stop()
        assert start_time(pid) is None
    assert value(wrapper.folder, ANY) == b"value"


def test_a_server_behind_a_wrapper_that_was_killed_makes_room_for_the_next(wrapper: PrivateRedis) -> None:
    with redis.Redis.from_url(wrapper.start()) as client:
        pid = int(client.info("server")["process_id"])  # type: ignore[index]
        client.set("key", "value")
    assert wrapper.pid is not None
    os.kill(wrapper.pid, signal.SIGKILL)
    assert wait_until(lambda: not wrapper.is_alive, 60)
    with redis.Redis.from_url(wrapper.start()) as client:
        assert client.get("key") == b"value"
    assert start_time(pid) is None


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o027])
def test_any_umask_keeps_the_folder_private(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        assert value(tmp_path / "above" / "state", ANY) is None
        assert value(tmp_path / "above" / "state", ANY) is None
    finally:
        os.umask(before)
    assert (tmp_path / "above" / "state").stat().st_mode & 0o777 == 0o700


def test_a_supervisor_waits_for_a_binary_that_is_being_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = tmp_path / "redis-server"
    script.write_text(f'#!/bin/sh\nexec {ANY} "$@"\n')
    script.chmod(0o755)
    server = PrivateRedis(tmp_path / "state", server=str(script))
    supervisor = Supervisor(redis=server, command=["sleep", "600"])
    supervisor.start()
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        script.chmod(0o644)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(lambda: "is not an executable file" in caplog.text, 60)
        assert thread.is_alive()
        script.chmod(0o755)
        assert wait_until(lambda: server.is_alive, 60)
    finally:
        supervisor.request_stop()
        thread.join(60)
    assert not thread.is_alive()
