import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.conftest import redis_binaries
from triggers.local.processes import start_time, wait_until
from triggers.local.redis_server import PrivateRedis

REPOSITORY = Path(__file__).parents[3]

#: a parent as a user's script is one; its child writes its pid and sleeps. argv: folder
PARENT = """
import sys, threading, signal
from pathlib import Path
from triggers.local.redis_server import PrivateRedis
from triggers.local.supervisor import Supervisor
folder = Path(sys.argv[1])
child = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\\\n'); "
child += "from triggers.local.parent import end_with_parent; "
child += "end_with_parent(int(os.environ['TRIGGERS_LOCAL_PARENT_FD'])); time.sleep(600)"
supervisor = Supervisor(
    redis=PrivateRedis(folder), command=[sys.executable, "-c", child, str(folder / "pids")]
)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: supervisor.request_stop())
supervisor.start()
print(supervisor.redis_url, flush=True)
supervisor.run()
"""


class Parent:
    """A script with a supervisor, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]
        assert wait_until(lambda: self.child() is not None, 60)

    def child(self, n: int = -1) -> int | None:
        """Pid of the n-th child that was started."""
        pids = self.folder / "pids"
        lines = pids.read_text().split("\n")[:-1] if pids.exists() else []
        return int(lines[n]) if lines and (n < len(lines)) else None

    def server(self) -> int:
        return json.loads((self.folder / "lock").read_text())["server"]

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def parent(tmp_path):
    parent = Parent(tmp_path / "state")
    yield parent
    left = [pid for pid in (parent.child(), parent.process.pid) if pid is not None]
    parent.kill()
    for pid in left:
        if start_time(pid) is not None:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(params=redis_binaries().values(), ids=redis_binaries())
def private_redis(tmp_path, request):
    server = PrivateRedis(tmp_path / "state", server=request.param)
    yield server
    server.stop()
