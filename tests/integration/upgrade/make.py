"""Makes the data of this folder, by the code of an earlier commit. Run it with that commit's checkout in front:

    git worktree add --detach /tmp/earlier 4f82ae9
    PYTHONPATH=/tmp/earlier .venv/bin/python tests/integration/upgrade/make.py tests/integration/upgrade/4f82ae9
    git worktree remove --force /tmp/earlier

It has to be an interpreter whose environment has what that commit needs, and the oldest supported Redis (`REDIS_SERVER`
names its binary), since what a later server dumps an earlier one cannot load. It writes: `server.json`, the objects of
the ClearML server; `redis.json`, every key as DUMP gives it; `folder.tar.gz.base64`, the state folder; `said.json`,
what that commit's command line printed about it.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import redis
from declarations import declare
from triggers.settings import settings

from tests.integration.stages.conftest import World
from triggers.clearml_api import launches
from triggers.ledger import Store, connect, open_ledger
from triggers.ledger.deployment import schedulers
from triggers.local.redis_server import PrivateRedis
from triggers.sandbox import Sandbox
from triggers.stages.match import match
from triggers.stages.reconcile import reconcile
from triggers.stages.sync import sync

#: Part of the scheduler's identity, and so of every key: an address of this machine that nothing else listens on.
HOST, PORT = "127.80.17.8", 8008
ACCESS, SECRET = "upgrade", "upgrade-secret"
#: Where the data says that everything was, whatever the machine on which it is made.
PLACE = "/place"
#: The checkouts of that commit and of this file.
EARLIER, HERE = Path(launches.__file__).parents[2], Path(__file__).resolve().parents[3]

#: Triggers of a file, beside those of the script.
APPLIED = [
    {"kind": "task", "name": name, "trigger_name": "^never$", "schedule_task_id": "a" * 32, "schedule_queue": "default"}
    for name in ("applied", "retired")
]


class Killed(BaseException):
    """The process dies here."""


class Earlier(World):
    """The world of that commit's tests, with a scheduler that a script has registered."""

    def __init__(self, sandbox: Sandbox, client: redis.Redis) -> None:
        ((id_, self.scheduler),) = schedulers.all_of(client).items()
        super().__init__(sandbox, open_ledger(Store(client), id_, settings()), settings())
        self.service = self.scheduler.service_task
        self.ctx = self.context()

    def failed(self, tag: str, name: str = "first") -> str:
        self.tick()
        return self.fail_task(name=f"{tag}: {name}", tags=[tag])

    def granted(self) -> None:
        """Poll and match, and launch nothing."""
        self.tick()
        self.poll()
        while self.hints.partitions:
            match(self.ctx, self.hints.partitions.pop())
        self.hints.dispatches = 0

    def launch_until_killed(self, call: str, *, before: bool, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Launch; the process dies before or after that call takes effect."""
        real = getattr(launches, call)

        def dying(*args: Any) -> Any:
            setattr(launches, call, real)
            if not before:
                real(*args)
            meanwhile()
            raise Killed

        setattr(launches, call, dying)
        self.hints.dispatches = 1
        try:
            self.settle()
        except Killed:
            return
        raise AssertionError(f"{call} was not called")


def verb(*arguments: str) -> str:
    """What a verb of that commit prints."""
    done = subprocess.run(
        [sys.executable, "-m", "triggers", *arguments], capture_output=True, text=True, cwd=tempfile.gettempdir()
    )
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def live(world: Earlier) -> None:
    """The stories, each by the trigger of its name."""
    if time.time() % 60 > 20:  # what is held for its pace would be released with the minute
        time.sleep(61 - time.time() % 60)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"triggers": APPLIED}, file)
        file.flush()
        verb("apply", "-f", file.name)
    verb("delete", "retired")
    verb("pause", "paused")
    twice = ("skipping", "queueing", "paced", "latest")
    for tag in ("plain", "transition", "repeating", "paused", "dead", "dropped", "retried", "reusing", *twice):
        world.failed(tag)
    world.step()
    for tag in twice:
        world.failed(tag, "second")
    world.step()
    world.failed("latest", "third")
    by_hand = world.create_task("plain: by hand")
    world.step()
    verb("fire", "plain", by_hand)
    world.hints.dispatches = 1
    world.settle()
    (dropped,) = [one for one in world.ledger.operations.dead() if one.trigger == "task:dropped"]
    verb("dead", "drop", dropped.key)
    reconcile(world.ctx)
    world.settle()
    # killed at three points of a launch
    world.failed("drafted")
    world.granted()
    world.launch_until_killed("enqueue", before=True)
    world.failed("half done")
    world.granted()
    world.launch_until_killed("clone", before=False)
    world.create_task("its own", project=world.call("projects.create", name="Own")["id"])
    world.granted()
    world.launch_until_killed("clone", before=False, meanwhile=world.granted)
    # under way in each stage
    for tag in ("here", "anywhere", "plain"):
        world.failed(tag, "granted")
    world.granted()
    world.failed("unmatched")
    world.tick()
    world.poll()
    assert sync(world.ctx, world.scheduler, force=True) is not None


def objects_of(sandbox: Sandbox, folders: Iterable[Path]) -> dict[str, Any]:
    """Everything that the server knows; what stands in these folders, as if it stood in `PLACE`."""
    state = sandbox.app.state
    plain = {name: getattr(state, name) for name in ("projects", "queues", "workers", "events")}
    known = {
        **plain, "default_queue": state.default_queue, "tasks": state.tasks.objects, "models": state.models.objects
    }  # fmt: skip
    text = json.dumps(known)
    for folder in folders:
        text = text.replace(str(folder), PLACE)
    found: dict[str, Any] = json.loads(text)
    return found


def dumped(client: redis.Redis) -> dict[str, list[Any]]:
    """Key → milliseconds to live (0: no limit) and DUMP, as base64."""
    return {
        key.decode(): [max(client.pttl(key), 0), base64.b64encode(client.dump(key)).decode()]
        for key in sorted(client.keys())
    }


def packed(folder: Path) -> str:
    """The files of a state folder, without what belongs to a run of it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            if path.name not in ("redis.log", "redis.sock", "lock", "redis.conf"):
                tar.add(path, arcname=path.name)
    return base64.encodebytes(buffer.getvalue()).decode()


def said(world: Earlier) -> dict[str, Any]:
    """What the verbs say, for the new ones to say the same."""
    names = [entry.trigger.name for entry in world.ledger.registry.snapshot().active]
    return {
        "history": json.loads(verb("history", "--json", "--limit", "1000")),
        "list": json.loads(verb("list", "--json")),
        "show": {name: json.loads(verb("show", name, "--json")) for name in names},
    }


def main(out: Path) -> None:
    with Sandbox(PORT, ACCESS, SECRET, host=HOST) as sandbox, tempfile.TemporaryDirectory() as temporary:
        server = PrivateRedis(Path(temporary, "state"), server=os.environ.get("REDIS_SERVER"))
        url = server.start()
        os.environ.update(sandbox.env() | {"TRIGGERS_REDIS_URL": url})
        settings.cache_clear()
        client = sandbox.client("maker")
        task = {"type": "training"}
        base, reused, gone = (
            client.call("tasks.create", {"name": n, **task})["id"] for n in ("base", "reused", "gone")
        )
        scheduler = declare(base, reused, gone)
        # its file is written down where it cannot be replaced afterwards: audit lines are chained by their hashes
        sys.modules["__main__"].__file__ = f"{PLACE}/make.py"
        scheduler.register()
        client.call("tasks.delete", {"task": gone})
        with connect(url) as decoded:
            world = Earlier(sandbox, decoded)
            live(world)
            about = {"made_at": time.time(), "ahead": sandbox.control.clock()["offset_seconds"]}
            about |= {"scheduler": world.scheduler.id, "bases": [base, reused, gone]}
            talk = said(world)
        with redis.Redis.from_url(url) as raw:
            keys = dumped(raw)
        server.stop()
        folders = (EARLIER, HERE, Path(temporary), Path(sys.prefix))
        out.mkdir(parents=True, exist_ok=True)
        for name, value in {
            "about": about,
            "server": objects_of(sandbox, folders),
            "redis": keys,
            "said": talk,
        }.items():
            (out / f"{name}.json").write_text(json.dumps(value, indent=None, sort_keys=True) + "\n")
        (out / "folder.tar.gz.base64").write_text(packed(server.folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
