"""ClearML in memory, and the book on what the scheduler may not do twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from triggers.base.errors import Refused
from triggers.clearml_api.connection import Answer
from triggers.model.launch_tags import ATTEMPT, FIRING, value_of
from triggers.sandbox.app import App
from triggers.sandbox.calls import ENDPOINTS, Call, check
from triggers.sandbox.errors import ApiError


class Server:
    """ClearML in memory: the sandbox's handlers under a clock of the test, and what people and agents do there."""

    def __init__(self) -> None:
        self.state = App("key", "secret").state
        self.now = 1_800_000_000.0
        #: seconds by which the HTTP `Date` is ahead of the clock that stamps changes
        self.date_ahead = 0
        #: how often an enqueue of ours was accepted, by firing key and by ClearML task
        self.launched: Counter[str] = Counter()
        self.enqueued: Counter[str] = Counter()
        #: firing key and attempt of each, as the ClearML task carries them
        self.launches: list[tuple[str, str]] = []
        self.deleted: list[str] = []
        #: copies that people made by hand
        self.copies: set[str] = set()

    def call(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one call, as JSON both ways."""
        self.now += 0.001
        known, request = ENDPOINTS[endpoint], json.loads(json.dumps(body))
        check(known.fields, request)
        return dict(json.loads(json.dumps(known.handler(Call(self.state, endpoint, request, self.now)))))

    def ours(self, endpoint: str, body: Mapping[str, Any]) -> Answer:
        """A call of the scheduler, and the book on what it may not do twice."""
        try:
            data = self.call(endpoint, body)
        except ApiError as error:
            raise Refused(endpoint, error.code, error.subcode, str(error)) from error
        if endpoint == "tasks.enqueue":
            self._note_launch(body["task"])
        for one in data.get("succeeded", ()) if endpoint == "tasks.enqueue_many" else ():
            self._note_launch(one["id"])
        if endpoint == "tasks.delete":
            self.deleted.append(body["task"])
        return Answer(data, int(self.now + self.date_ahead) * 1000 - 1000)

    def _note_launch(self, task: str) -> None:
        self.enqueued[task] += 1
        tags = self.tasks[task]["system_tags"]
        self.launches.append((value_of(FIRING, tags), value_of(ATTEMPT, tags)))
        self.launched[value_of(FIRING, self.tasks[task]["system_tags"])] += 1

    @property
    def tasks(self) -> dict[str, Any]:
        """ClearML tasks by id."""
        return self.state.tasks.objects

    def queue(self) -> list[str]:
        """The default queue."""
        return [entry["task"] for entry in self.state.queues[self.state.default_queue]["entries"]]
