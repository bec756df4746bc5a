import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from triggers.base.errors import StoreUnavailable, Usage
from triggers.local.processes import start_time, wait_until
from triggers.local.redis_server import PrivateRedis, running_url

REPOSITORY = Path(__file__).parents[3]


def client(url):
    return redis.Redis.from_url(url, socket_timeout=60)


def test_start_answers_with_the_settings_that_keep_data(private_redis):
    with client(private_redis.start()) as store:
        wanted = {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        assert {name: store.config_get(name)[name] for name in wanted} == wanted
        assert store.config_get("port") == {"port": "0"}


def test_start_twice_is_start_once(private_redis):
    url = private_redis.start()
    pid = private_redis.pid
    assert (private_redis.start(), private_redis.pid) == (url, pid)


def test_stop_leaves_the_append_only_file_and_nothing_else_that_is_alive(private_redis):
    with client(private_redis.start()) as store:
        store.set("key", "value")
    pid = private_redis.pid
    private_redis.stop()
    private_redis.stop()
    assert start_time(pid) is None
    left = {path.name for path in private_redis.folder.iterdir()}
    assert any(name.startswith("appendonly") for name in left)
    assert not left & {"redis.sock", "lock"}
    with client(private_redis.start()) as store:
        assert store.get("key") == b"value"


@pytest.mark.parametrize("name", ["a b", 'quote"back\\slash', "ümläut", "50% ?#&"])
def test_start_takes_folders_of_any_name(tmp_path, name):
    server = PrivateRedis(tmp_path / name)
    try:
        with client(server.start()) as store:
            assert store.ping()
        assert running_url(tmp_path / name) == server.url
    finally:
        server.stop()
    assert running_url(tmp_path / name) is None


def test_start_puts_the_socket_of_a_long_path_into_a_short_private_folder(tmp_path):
    server = PrivateRedis(tmp_path / ("deep" * 20) / ("deeper" * 20))
    try:
        with client(server.start()) as store:
            assert store.ping()
        place = Path(server.url.removeprefix("unix://")).parent
        assert place.stat().st_mode & 0o777 == 0o700
        assert (server.folder / "redis.conf").exists()
    finally:
        server.stop()
    assert not place.exists()


def test_start_refuses_a_socket_folder_that_others_may_enter(tmp_path):
    server = PrivateRedis(tmp_path / ("deep" * 20) / ("deeper" * 20))
    place = Path(server.url.removeprefix("unix://")).parent
    place.mkdir(mode=0o755)
    try:
        with pytest.raises(Usage, match="not a private folder"):
            server.start()
    finally:
        place.rmdir()
    assert not (server.folder / "lock").exists()


def test_second_start_on_a_folder_names_the_process_that_holds_it(private_redis):
    with client(private_redis.start()) as store:
        for other in (PrivateRedis(private_redis.folder), PrivateRedis(private_redis.folder)):
            with pytest.raises(Usage, match=rf"in use by process {os.getpid()} .*kill {os.getpid()}.*STATE_FOLDER"):
                other.start()
            other.stop()
        assert store.ping(), "the loser's stop touches nothing"


def test_start_after_the_server_was_killed_loads_a_cut_file(private_redis):
    with client(private_redis.start()) as store:
        store.set("first", "1")
        store.config_set("appendfsync", "always")
        store.set("second", "2")
    os.kill(private_redis.pid, signal.SIGKILL)
    assert wait_until(lambda: not private_redis.is_alive, 60)
    # Redis 7 has several files in a folder of their own; what was just written is in the incremental one
    file = max(private_redis.folder.rglob("appendonly*.aof"), key=lambda path: ".incr." in path.name)
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size - 3)
    with client(private_redis.start()) as store:
        assert store.get("first") == b"1"


def test_start_that_fails_shows_the_log_and_frees_the_folder(private_redis):
    private_redis.folder.mkdir(parents=True)
    # a folder where Redis 6 wants a file, a file where Redis 7 wants a folder
    (private_redis.folder / "appendonly.aof").mkdir()
    (private_redis.folder / "appendonlydir").touch()
    with pytest.raises(StoreUnavailable, match=r"Redis ended with 1 at its start: (?i:.*append-?only)"):
        private_redis.start()
    assert not (private_redis.folder / "lock").exists()


def test_start_ends_the_orphan_of_a_killed_owner(tmp_path):
    """An owner that is killed on a system without PR_SET_PDEATHSIG leaves its Redis at work on the folder."""
    code = (
        "import os, sys; from triggers.local import processes, redis_server;"
        "processes._TRAMPOLINE = 'import os, sys; os.execv(sys.argv[3], sys.argv[3:])';"
        "server = redis_server.PrivateRedis(sys.argv[1]); server.start();"
        "print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    folder = tmp_path / "state"
    owner = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )
    orphan = int(owner.stdout)
    assert start_time(orphan) is not None
    with client(f"unix://{folder}/redis.sock") as store:
        store.set("key", "value")
    server = PrivateRedis(folder)
    try:
        with client(server.start()) as store:
            assert store.get("key") == b"value"
        assert start_time(orphan) is None
    finally:
        server.stop()


def test_start_ignores_a_stale_socket_and_a_lock_file_of_the_past(private_redis):
    private_redis.folder.mkdir(parents=True)
    (private_redis.folder / "lock").write_text('{"owner": 1, "owner_started": 1, "host": "elsewhere"}')
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(private_redis.folder / "redis.sock"))
    with client(private_redis.start()) as store:
        assert store.ping()


def test_the_record_of_a_container_that_is_gone_is_no_running_redis(private_redis):
    """It was killed and made anew on the same volume, with another host name: the lock stayed, and nobody holds it."""
    url = private_redis.start()
    record = json.loads((private_redis.folder / "lock").read_text())
    elsewhere = json.dumps({**record, "host": "elsewhere"}).ljust(2048)
    (private_redis.folder / "lock").write_text(elsewhere)
    assert running_url(private_redis.folder) == url, "it is held"
    with pytest.raises(Usage, match=r"in use by process .* on elsewhere"):
        PrivateRedis(private_redis.folder).start()
    private_redis.stop()
    (private_redis.folder / "lock").write_text(elsewhere)
    assert running_url(private_redis.folder) is None
    with client(private_redis.start()) as store:
        assert store.ping()


def test_a_folder_in_place_of_the_socket_is_reported(private_redis):
    private_redis.folder.mkdir(parents=True)
    (private_redis.folder / "redis.sock").mkdir()
    with pytest.raises(StoreUnavailable, match=r"(?i)unix socket"):
        private_redis.start()
    assert not (private_redis.folder / "lock").exists()
    (private_redis.folder / "redis.sock").rmdir()
    assert private_redis.start()


def test_a_state_folder_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Usage, match="TRIGGERS_STATE_FOLDER"):
        PrivateRedis(tmp_path / "file" / "state").start()
