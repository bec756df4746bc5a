import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import redis

from triggers.base.errors import Usage
from triggers.local.child import child_command
from triggers.local.processes import start_time, wait_until
from triggers.local.redis_server import PrivateRedis
from triggers.local.supervisor import Supervisor


def gone(*pids):
    return all(start_time(pid) is None for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_in_order(parent, number):
    child, server = parent.child(), parent.server()
    parent.process.send_signal(number)
    assert parent.process.wait(60) == 0
    assert gone(child, server)
    assert not (parent.folder / "redis.sock").exists()


def test_a_killed_parent_leaves_nothing_and_the_next_start_finds_the_data(parent):
    child, server = parent.child(), parent.server()
    with parent.client() as store:
        store.set("key", "value")
    parent.kill()
    assert wait_until(lambda: gone(child, server), 60), "child and Redis end with the parent"
    again = PrivateRedis(parent.folder)
    try:
        with redis.Redis.from_url(again.start()) as store:
            assert store.get("key") == b"value"
    finally:
        again.stop()


def test_a_child_that_does_not_listen_is_killed_by_itself_after_its_parent(tmp_path):
    """The bound holds although SIGTERM is ignored (here: shortened patience)."""
    code = (
        "import os, signal, time; from triggers.local import parent; parent._PATIENCE_SECONDS = 0.2;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); parent.end_with_parent(int(os.environ['FD']));"
        "print(flush=True); time.sleep(600)"
    )
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"FD": str(reading), "PYTHONPATH": os.getcwd()},
        pass_fds=[reading],
        stdout=subprocess.PIPE,
    )
    with process:
        process.stdout.readline()
        assert process.poll() is None
        os.close(reading)
        os.close(writing)
        assert process.wait(60) == 1


def test_a_killed_redis_is_started_again_with_its_data(parent):
    server, child = parent.server(), parent.child()
    with parent.client() as store:
        store.config_set("appendfsync", "always")
        store.set("key", "value")
    os.kill(server, signal.SIGKILL)
    assert wait_until(lambda: parent.server() != server, 60)

    def answers():
        try:
            with parent.client() as store:
                return store.get("key") == b"value"
        except redis.exceptions.RedisError:
            return False

    assert wait_until(answers, 60)
    assert parent.child() == child, "the child stays"
    assert start_time(child) is not None


def test_a_killed_child_is_started_again(parent):
    first = parent.child()
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: parent.child(1) not in (None, first), 60)
    second = parent.child()
    os.kill(second, signal.SIGTERM)
    assert wait_until(lambda: parent.child(2) is not None, 60)


def test_a_second_start_on_the_folder_is_refused_with_a_fix(parent):
    with pytest.raises(Usage, match=f"in use by process {parent.process.pid} .*: end that process first"):
        Supervisor(redis=PrivateRedis(parent.folder), command=["true"]).run()
    with parent.client() as store:
        assert store.ping()


def test_run_stops_from_another_thread_and_leaves_a_foreign_redis_alone(private_redis, tmp_path):
    url = private_redis.start()
    seen = tmp_path / "seen"
    supervisor = Supervisor(
        redis_url=url,
        credentials={"CLEARML_API_HOST": "http://h"},
        command=[
            "sh",
            "-c",
            f'echo "$TRIGGERS_REDIS_URL $CLEARML_API_HOST" > {seen}; sleep 600',
        ],
    )
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    assert wait_until(lambda: seen.exists() and seen.read_text().endswith("\n"), 60)
    assert seen.read_text() == f"{url} http://h\n"
    supervisor.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert supervisor.child_pid is None
    assert private_redis.is_alive


def test_stop_is_bounded_when_the_child_does_not_listen(tmp_path, monkeypatch):
    monkeypatch.setattr("triggers.local.supervisor._CHILD_PATIENCE_SECONDS", 0.3)
    ready = tmp_path / "ready"
    supervisor = Supervisor(
        redis=PrivateRedis(tmp_path / "state"),
        command=["sh", "-c", f"trap '' TERM; touch {ready}; while :; do sleep 1; done"],
    )
    supervisor.start()
    assert wait_until(ready.exists, 60)
    child = supervisor.child_pid
    supervisor.stop()  # the child would go on forever
    assert gone(child)


def test_stop_before_run_starts_nothing(tmp_path):
    supervisor = Supervisor(redis=PrivateRedis(tmp_path / "state"), command=["true"])
    supervisor.stop()
    supervisor.request_stop()
    assert not (tmp_path / "state").exists()


def test_a_child_that_fails_in_the_same_way_is_given_up_in_one_line(capfd):
    command = [sys.executable, "-c", "import no_such_module"]
    with pytest.raises(SystemExit) as ended:
        Supervisor(redis_url="redis://127.0.0.1:1/0", command=command).run()
    assert ended.value.code == 1
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("clearml-triggers: ")]
    assert len(told) == 1
    assert "No module named 'no_such_module'" in told[0]


HELD = """
import os, time
def said(word):
    with open(os.environ["SAID"], "a") as file:
        file.write(word + "\\n")
said("imported")
def main():
    said("begun")
    time.sleep(600)
"""


@pytest.fixture
def held(tmp_path, monkeypatch):
    """A supervisor whose child was started early, and what the child has written."""
    (tmp_path / "held_child.py").write_text(HELD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    file = tmp_path / "said"
    monkeypatch.setenv("SAID", str(file))
    # the bootstrap of the real child, with another module
    command = child_command("held_child")
    supervisor = Supervisor(redis_url="redis://127.0.0.1:9/0", command=command)
    supervisor.prepare()
    said = lambda: file.read_text().split() if file.exists() else []  # noqa: E731
    assert wait_until(lambda: said() == ["imported"], 60)
    yield supervisor, said
    supervisor.stop()


def test_a_child_that_was_started_early_begins_with_the_run_alone(held):
    supervisor, said = held
    pid = supervisor.child_pid
    time.sleep(0.5)
    assert said() == ["imported"]
    running = threading.Thread(target=supervisor.run)
    running.start()
    assert wait_until(lambda: said() == ["imported", "begun"], 60)
    assert supervisor.child_pid == pid
    os.kill(pid, signal.SIGKILL)
    # the next one is not held
    assert wait_until(lambda: said()[2:] == ["imported", "begun"], 60)
    supervisor.request_stop()
    running.join(60)
    assert not running.is_alive()


def test_a_child_that_was_started_early_ends_with_a_start_that_fails(held):
    supervisor, said = held
    pid = supervisor.child_pid
    supervisor.stop()
    assert gone(pid)
    assert said() == ["imported"]
