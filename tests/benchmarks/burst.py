"""A thousand objects match in one poll: how long until all are enqueued, by the server's own log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.benchmarks.result import Bound, Result
from tests.benchmarks.server import Server, original, server
from tests.benchmarks.worker import Working, eventually, working
from triggers.model import make_trigger

#: Two halves, since the original takes 500 objects of a query and loses the rest.
HALF, TAGS = 500, ("first half", "second half")
THREADS = 8
BOUND = Bound(most=0.1, of="ratio")


def measure(runs: int) -> list[Result]:
    """Both see the same change of the same ClearML tasks; one worker process here."""
    ours, theirs = [], []
    for _ in range(runs):
        with server() as of, original(of) as other, working(of) as here:
            register(here)
            action = {"schedule_task_id": here.base, "schedule_queue": "default"}
            triggers = [("task", {"name": tag, "trigger_on_tags": [tag], **action}) for tag in TAGS]
            other.ask("begin", triggers=triggers)
            other.ask("step")
            with here.process("poll", "match", "dispatch", threads=THREADS):
                here.send("poll")
                eventually(lambda: polls(of.since(0)), "the first poll", seconds=30)
                change(of)
                before = of.last()
                here.send("poll")
                eventually(lambda: queued(of) >= 2 * HALF, "all are enqueued here", seconds=300)
                ours.append(seconds(of.since(before)))
            before = of.last()
            other.ask("step")
            theirs.append(seconds(of.since(before)))
            if queued(of) != 4 * HALF:
                raise RuntimeError(f"{queued(of)} ClearML tasks are queued instead of {4 * HALF}")
    return [Result("1,000 objects match in one poll: until all are enqueued", "s", tuple(ours), tuple(theirs), BOUND)]


def register(here: Working) -> None:
    """A trigger for each half."""
    action = {"type": "task", "base_task_id": here.base, "queue": "default"}
    triggers = [make_trigger("task", name=tag, action=action, trigger_on_tags=[tag]) for tag in TAGS]
    here.home.register(here.ledger, triggers)


def change(of: Server) -> None:
    """A thousand ClearML tasks that get a tag each, five hundred by one call."""
    for tag in TAGS:
        ids = [of.call("tasks.create", name="run", type="training")["id"] for _ in range(HALF)]
        of.call("tasks.update_tags", ids=ids, add_tags=[tag])


def polls(entries: Sequence[dict[str, Any]]) -> int:
    """How many pages this system has read."""
    return sum(entry["endpoint"] == "tasks.get_all_ex" for entry in entries)


def queued(of: Server) -> int:
    """How many ClearML tasks wait in the queue."""
    (queue,) = of.call("queues.get_all", name="^default$", only_fields=["entries"])["queues"]
    return len(queue["entries"])


def seconds(entries: Sequence[dict[str, Any]]) -> float:
    """From the first call of a poll to the last enqueue."""
    began = min(entry["at"] for entry in entries if "get_all" in entry["endpoint"])
    return float(max(entry["at"] for entry in entries if entry["endpoint"].startswith("tasks.enqueue")) - began)
