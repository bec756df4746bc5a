"""The one child of local mode is judged by its progress: frozen, it is ended and started again."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from triggers.health import Progress
from triggers.local.liveness import HEALTH_FILE, STARTING_SECONDS, Liveness
from triggers.local.processes import start_time, wait_until
from triggers.local.redis_server import PrivateRedis
from triggers.local.supervisor import Supervisor


@pytest.fixture(autouse=True)
def _no_named_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HEALTH_FILE, raising=False)


def written(file: Path, now: float, pid: int | None = None, stuck: str = "") -> None:
    pid = pid or os.getpid()
    Progress("worker", pid, str(start_time(pid)), now, stuck).write(file)


def test_silence_that_lasts_is_a_fault_and_one_sign_of_life_ends_it(tmp_path: Path):
    liveness = Liveness(tmp_path, frozen_seconds=30)
    liveness.begin(os.getpid(), 0.0)
    written(liveness.file, 1.0)
    assert liveness.fault(31.0) == liveness.fault(31.5) == ""
    assert liveness.fault(32.0) == "", "this process may have been frozen with it: one that was thawed writes soon"
    written(liveness.file, 33.0)
    assert liveness.fault(36.0) == ""
    assert [bool(liveness.fault(now)) for now in (64.0, 66.0, 70.0)] == [False, False, True]
    assert "is frozen: silent for 37 s" in liveness.fault(70.0)


def test_child_that_says_it_is_stuck_is_a_fault(tmp_path: Path):
    liveness = Liveness(tmp_path)
    liveness.begin(os.getpid(), 0.0)
    written(liveness.file, 1.0, stuck="has not ticked for 31 s")
    assert liveness.fault(1.0) == ""
    assert "has not ticked for 31 s" in liveness.fault(7.0)


def test_child_that_never_writes_has_longer_and_the_file_of_an_earlier_one_says_nothing(tmp_path: Path):
    liveness = Liveness(tmp_path)
    written(liveness.file, 0.0, pid=os.getppid())
    liveness.begin(os.getpid(), 100.0)
    assert liveness.fault(100.0 + STARTING_SECONDS) == ""
    liveness.fault(101.0 + STARTING_SECONDS)
    assert "not written anything since its start" in liveness.fault(107.0 + STARTING_SECONDS)


def test_file_that_the_environment_names_is_used_and_an_own_one_is_removed(monkeypatch, tmp_path: Path):
    own = Liveness(None)
    assert own.file.parent.exists()
    own.close()
    assert not own.file.parent.exists()
    monkeypatch.setenv(HEALTH_FILE, str(tmp_path / "named"))
    assert Liveness(tmp_path / "folder").file == tmp_path / "named"


@pytest.mark.slow
def test_frozen_child_is_replaced_by_one_that_gets_somewhere(tmp_path: Path):
    """The real child with beat and workers, and the real supervisor; only the allowed silence is shortened."""
    credentials = {f"CLEARML_API_{name}": "http://127.0.0.1:9" for name in ("HOST", "ACCESS_KEY", "SECRET_KEY")}
    supervisor = Supervisor(redis=PrivateRedis(tmp_path / "state"), credentials=credentials, frozen_seconds=8.0)
    file = tmp_path / "state" / "health.json"
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:

        def at_work() -> int:
            progress = Progress.read(file)
            known = progress is not None and progress.pid == supervisor.child_pid
            return progress.pid if known and not progress.fault(time.monotonic()) else 0  # type: ignore[union-attr]

        assert wait_until(lambda: at_work() > 0, 60), "the child writes its progress"
        first = at_work()
        os.kill(first, signal.SIGSTOP)
        assert wait_until(lambda: at_work() not in (0, first), 60), "another gets somewhere within a minute"
        assert start_time(first) is None
    finally:
        supervisor.stop()
        thread.join(60)
