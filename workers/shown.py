"""Which Celery tasks Flower shows: those that did something. Idle ticks, several a second, would hide them.

Celery sends the first events of a task before its outcome is known. Here they wait for it, and a task that found
nothing sends none. A failure is shown in any case.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from celery import Task
from celery.worker.request import Request as CeleryRequest

from triggers.clearml_api.calls import caused_by
from triggers.stages import table

#: How the result of a Celery task reads that found nothing to do.
NOTHING: Final = ("''", "None")


def in_words(counts: Mapping[str, int]) -> str:
    """What a stage did for a scheduler, "" when nothing."""
    return ", ".join(f"{what}: {count}" for what, count in counts.items() if count)


class Request(CeleryRequest):  # type: ignore[misc]
    """One Celery task in its worker; its events wait until it has ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._received_at = time.time()
        self._started_at: float | None = None
        self._is_shown = False

    def send_event(self, type: str, **fields: Any) -> None:
        """Send an event, behind those that had to wait; none for a task that found nothing."""
        if not (self.eventer and self.eventer.enabled):
            return
        if type == "task-started":
            self._started_at = time.time()
        elif type != "task-succeeded" or fields.get("result") not in NOTHING:
            self._send_what_waited()
            self.eventer.send(type, uuid=self.id, **fields)

    def _send_what_waited(self) -> None:
        if self._is_shown:
            return
        self._is_shown = True
        received = {"name": self.name, "args": self.argsrepr, "kwargs": self.kwargsrepr, "retries": 0}
        self.eventer.send("task-received", uuid=self.id, timestamp=self._received_at, **received)
        if self._started_at is not None:
            self.eventer.send("task-started", uuid=self.id, timestamp=self._started_at)


class ShownTask(Task):  # type: ignore[misc]
    """The base of every Celery task here; the setting `send_events` only keeps Celery's own first event back."""

    abstract = True
    Request = "workers.shown:Request"
    send_events = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it; the requests that it makes to the ClearML server are counted as its stage's."""
        with caused_by(table.cause_of(self.name)):
            return self.run(*args, **kwargs)
