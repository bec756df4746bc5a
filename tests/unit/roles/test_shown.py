"""Events of Celery tasks: those of one that did something, in order and with their own times; of another one, none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.worker.request import create_request_cls
from kombu import Connection, Message

from workers.shown import Request, ShownTask, in_words


class Events:
    enabled = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def send(self, type: str, **fields: Any) -> None:
        self.sent.append((type, fields))


def made(events: Events) -> Any:
    app = Celery("shown", task_cls=ShownTask, set_as_current=False)

    @app.task(name="some.task", shared=False)  # type: ignore[untyped-decorator]
    def task() -> str:
        return ""

    pool = SimpleNamespace(apply_async=None)
    headers = {"id": "1" * 36, "task": "some.task", "argsrepr": "(of it)", "kwargsrepr": "{}"}
    message = Message(headers=headers, body="[[], {}, {}]", channel=Connection("memory://").channel())
    message.content_type, message.content_encoding = "application/json", "utf-8"
    made_for = create_request_cls(Request, task, pool, "worker@here", events, app=app)
    return made_for(message, app=app, hostname="worker@here", eventer=events, task=task, decoded=False)


@pytest.mark.parametrize("result", ["''", "None"])
def test_what_found_nothing_sends_no_event(result: str) -> None:
    events = Events()
    request = made(events)
    request.send_event("task-started")
    request.on_success((False, result, 0.01))
    assert not events.sent


def test_what_did_something_sends_all_its_events_with_their_own_times() -> None:
    events = Events()
    request = made(events)
    request.send_event("task-started")
    request.on_success((False, "'2 events'", 0.01))
    assert [type for type, _ in events.sent] == ["task-received", "task-started", "task-succeeded"]
    received, started, succeeded = (fields for _, fields in events.sent)
    assert received["args"] == "(of it)"
    assert received["name"] == "some.task"
    assert received["timestamp"] <= started["timestamp"]
    assert succeeded["result"] == "'2 events'"


def test_failure_is_shown() -> None:
    events = Events()
    request = made(events)
    request.send_event("task-started")
    request.send_event("task-failed", exception="boom")
    assert [type for type, _ in events.sent] == ["task-received", "task-started", "task-failed"]


def test_nothing_is_sent_where_nobody_listens() -> None:
    events = Events()
    events.enabled = False
    request = made(events)
    request.send_event("task-failed", exception="boom")
    assert not events.sent


def test_results_name_what_was_done() -> None:
    assert in_words({"hints": 2, "released": 0, "drafts": 1}) == "hints: 2, drafts: 1"
    assert in_words({"hints": 0}) == ""
