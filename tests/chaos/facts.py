"""What the ClearML server says happened: read over its API and its control address, nothing from Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.book import Book
from tests.chaos.receiver import Delivery, Receivers
from triggers.sandbox.client import Client, Control

PAGE = 400


@dataclass(frozen=True)
class Facts:
    """Of one run.

    Args:
        names: id → name of every object that changed.
        launches: id → (trigger, name of the object) of what was cloned with a trigger's parameters.
        reused: the ClearML task that is run again and again.
        starts: the ClearML tasks that agents started, each as often as they did.
        statuses: (ClearML task, new status or None when it was deleted) in the order in which they took effect.
        calls: ids of the objects that the function was called for.
        deliveries: what receivers of webhooks have seen.
        book: what a person did to two of the triggers.
        promotions: how often Redis was replaced by a copy that lags.
    """

    names: dict[str, str] = field(default_factory=dict)
    launches: dict[str, tuple[str, str]] = field(default_factory=dict)
    reused: str = ""
    starts: list[str] = field(default_factory=list)
    statuses: list[tuple[str, str | None]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    promotions: int = 0

    def runs(self) -> Counter[tuple[str, str]]:
        """How often what was launched for (trigger, object) was started."""
        return Counter(self.launches[task] for task in self.starts if task in self.launches)


class Observer:
    """Reads the facts; what does not change is read once."""

    def __init__(self, control: Control, client: Client, reused: str, calls: Path, receivers: Receivers) -> None:
        self.control, self.client, self.reused, self.calls_file = control, client, reused, calls
        self.receivers = receivers
        self._launches: dict[str, tuple[str, str]] = {}
        self._names: dict[str, str] = {}
        self._known: set[str] = set()
        self._seen = Facts()

    def look(self) -> None:
        """Read what has run by now; `runs` and `reused_runs` tell of the last look."""
        starts = [start["task"] for start in self.control.run_starts()]
        self._learn(set(starts) - self._known)
        self._seen = Facts(launches=self._launches, reused=self.reused, starts=starts)

    def runs(self) -> Counter[tuple[str, str]]:
        """As `Facts.runs`, for those who wait for one."""
        return self._seen.runs()

    def reused_runs(self) -> int:
        """How often the reused ClearML task was started."""
        return self._seen.starts.count(self.reused)

    def calls(self) -> list[str]:
        """The objects of each call of the function."""
        if not self.calls_file.exists():
            return []
        return [line.split()[0] for line in self.calls_file.read_text().splitlines()]

    def _learn(self, ids: Iterable[str]) -> None:
        wanted = sorted(ids)
        for at in range(0, len(wanted), PAGE):
            body = {"id": wanted[at : at + PAGE], "only_fields": ["id", "hyperparams"], "search_hidden": True}
            # what is written may not be visible yet: it is asked for again
            self._known |= {task["id"] for task in self.client.call("tasks.get_all", body)["tasks"] if self._take(task)}

    def _take(self, task: dict[str, Any]) -> bool:
        """Whether all about it is known now."""
        said = task.get("hyperparams", {}).get("Args", {})
        if "source" not in said:
            return True
        if name := self._name(said["source"]["value"]):
            self._launches[task["id"]] = (said["trigger"]["value"], name)
        return bool(name)

    def _name(self, object_id: str) -> str:
        if object_id not in self._names:
            for kind in ("tasks", "models"):
                body = {"id": [object_id], "only_fields": ["id", "name"], "search_hidden": True}
                for found in self.client.call(f"{kind}.get_all", body)[kind]:
                    self._names[object_id] = found["name"]
        return self._names.get(object_id, "")

    def facts(self) -> Facts:
        """Everything, read anew."""
        statuses = [(change["task"], change["status"]) for change in self.control.status_changes()]
        self.look()
        self._learn({task for task, _ in statuses} - self._known)
        for object_id in self.calls():
            self._name(object_id)
        names, launches, starts = dict(self._names), dict(self._launches), self._seen.starts
        return Facts(names, launches, self.reused, starts, statuses, self.calls(), self.receivers.seen())
