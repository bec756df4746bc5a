"""One server with both schedulers on it: the original in its process, this one's stages in ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.integration.differential.pair import Pair
from tests.servers import running
from triggers.base.settings import Settings
from triggers.ledger import Store, connect, open_ledger
from triggers.sandbox import Sandbox

CLEARED = ("CLEARML_TASK_ID", "CLEARML_PROC_MASTER_ID", "TRAINS_TASK_ID", "TRAINS_PROC_MASTER_ID")


class Original:
    """The original in its process."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        env = {name: value for name, value in os.environ.items() if name not in CLEARED} | env
        command = [sys.executable, str(Path(__file__).with_name("original_main.py"))]
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=env,
                text=True,
                start_new_session=True,  # with the process that the SDK forks for its reports
            )

    def ask(self, do: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    yield from running()


@pytest.fixture(scope="module")
def original(server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    original = Original(server.env(), tmp_path_factory.mktemp("original") / "log")
    yield original
    original.stop()


@pytest.fixture(scope="module")
def new_pair(
    server: Sandbox, original: Original, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Pair]]:
    """Make a pair that knows nothing of those before, in projects of its own."""
    client, numbers, pairs = connect(redis_url), count(), []
    settings = Settings(state_folder=tmp_path_factory.mktemp("state"), lease_seconds=5)

    def new() -> Pair:
        ledger = open_ledger(Store(client), f"differential-{next(numbers)}", settings)
        ledger.adopt_epoch(nothing_launched_before=True)
        pairs.append(Pair(server, ledger, settings, original.ask, next(numbers)))
        return pairs[-1]

    client.flushall()
    yield new
    for pair in pairs:
        pair.world.client.close()
    client.close()


@pytest.fixture
def pair(new_pair: Callable[[], Pair]) -> Pair:
    return new_pair()
