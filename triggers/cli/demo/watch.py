"""What came of the changes: firings as the ledger has them, launches as the sandbox's queue and log have them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from triggers.base.settings import Settings
from triggers.ledger import Ledger, Store, connect, open_ledger
from triggers.ledger.polling.batches import decode_batch
from triggers.local.redis_server import running_url
from triggers.model.events import Event, milliseconds
from triggers.model.launch_tags import FIRING, value_of

if TYPE_CHECKING:
    from triggers.sandbox import Sandbox

#: The demo's queue, and its project with the ClearML task that most triggers launch.
QUEUE, PROJECT, BASE = "default", "Demo", "retrain"


@dataclass(frozen=True, slots=True)
class DemoChange:
    """One change as the process that made it reported it, and the trigger that it must fire."""

    trigger: str
    kind: str
    object: str
    change: str


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One entry of the queue: which firing (function: "") made it, from which object."""

    task: str
    firing: str
    parent: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Passage:
    """The way of one change so far; times are ms since the epoch, None what has not happened."""

    change: DemoChange
    changed_ms: int | None = None
    stored_ms: int | None = None
    granted_ms: int | None = None
    launches: tuple[QueueEntry, ...] = ()

    @property
    def launched_ms(self) -> int | None:
        """When its launch entered the queue."""
        return self.launches[0].at_ms if self.launches else None


def prepare(sandbox: Sandbox) -> None:
    """Put on the server what a user has there already: a project, a queue, a ClearML task to launch."""
    client = sandbox.client("demo")
    project = client.call("projects.create", {"name": PROJECT, "description": ""})["id"]
    client.call("tasks.create", {"name": BASE, "type": "training", "project": project})
    if not client.call("queues.get_all", {"name": f"^{QUEUE}$"})["queues"]:
        client.call("queues.create", {"name": QUEUE})


def find_ledger(state: Path) -> Ledger | None:
    """The ledger of the one scheduler below a state folder; None until the first poll is done."""
    for url, scheduler in ((running_url(folder), folder.name) for folder in state.glob("*")):
        if url is None:
            continue
        ledger = open_ledger(Store(connect(url)), scheduler, Settings(state_folder=state))
        with contextlib.suppress(redis.RedisError):  # it is just starting
            if ledger.reading.cursor("tasks").read_to_ms:
                return ledger
        ledger.close()
    return None


class Follower:
    """Follows changes through the ledger and the sandbox."""

    def __init__(self, ledger: Ledger, sandbox: Sandbox) -> None:
        self.ledger, self.sandbox = ledger, sandbox
        self._client = sandbox.client("demo")

    def passages(self, changes: Iterable[DemoChange]) -> list[Passage]:
        """How far each change has come, in the order they were made."""
        firings = {(entry.trigger, entry.object): entry.firing for entry in self._granted()}
        stored, launches = self._stored(), self.launches()
        return [self._passage(change, firings, stored, launches) for change in changes]

    def _passage(
        self,
        change: DemoChange,
        firings: dict[tuple[str, str], str],
        stored: dict[tuple[str, int], int],
        launches: list[QueueEntry],
    ) -> Passage:
        key = firings.get((f"{change.kind}:{change.trigger}", change.object))
        firing = self.ledger.firings.get(key) if key else None
        if firing is None:
            return Passage(change)
        made = [each for each in launches if each.firing == key or (not each.firing and each.parent == change.object)]
        return Passage(
            change,
            changed_ms=firing.changed_ms,
            stored_ms=stored.get((firing.object, firing.changed_ms)),
            granted_ms=firing.granted_ms,
            launches=tuple(made),
        )

    def launches(self) -> list[QueueEntry]:
        """Everything in the queue, oldest first."""
        queue = self._client.call("queues.get_all", {"name": f"^{QUEUE}$"})["queues"][0]
        added = {entry["task"]: milliseconds(entry["added"]) for entry in queue["entries"]}
        if not added:
            return []
        wanted = {"id": list(added), "only_fields": ["id", "system_tags", "parent"]}
        tasks = {task["id"]: task for task in self._client.call("tasks.get_all", wanted)["tasks"]}
        return [
            QueueEntry(id_, value_of(FIRING, tasks[id_].get("system_tags", ())), tasks[id_].get("parent") or "", at)
            for id_, at in added.items()
        ]

    def clones(self) -> int:
        """How many clones the server has made, by its request log."""
        log = self.sandbox.control.requests(endpoint="tasks.clone")
        return sum(entry["status"] == 200 for entry in log)

    def _granted(self) -> list[Any]:
        return [entry for entry in self.ledger.history.read() if entry.what == "granted"]

    def _stored(self) -> dict[tuple[str, int], int]:
        """When each event was stored: (object, change time) to the id that Redis gave its batch, a time."""
        stored: dict[tuple[str, int], int] = {}
        for id_, fields in reversed(list(self.ledger.events().backwards())):
            for event in map(Event.from_json, decode_batch(fields["batch"]).events):
                stored.setdefault((event.id, event.changed_ms), int(id_.partition("-")[0]))
        return stored
