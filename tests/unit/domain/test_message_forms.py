"""Messages: only those that this project sends are taken, whatever Celery would do with others."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from triggers.base.messages import Shape, fault_of

SENT = {
    "triggers.match": Shape(("scheduler",)),
    "triggers.poll": Shape(also=frozenset({"sync", "clock"})),
    "triggers.alive": Shape(),
}
ID = "0123456789abcdef"
NOTHING_AFTER = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def message(body: Any = ([ID], {}, NOTHING_AFTER), **headers: Any) -> SimpleNamespace:
    known = {"task": "triggers.match", "id": "1", "retries": 0, "timelimit": [None, None], "eta": None, "expires": None}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SimpleNamespace(headers={**known, **headers}, body=text)


def of(task: str, args: list[Any], embedded: dict[str, Any] | None = None) -> SimpleNamespace:
    return message((args, {}, embedded or NOTHING_AFTER), task=task)


@pytest.mark.parametrize(
    "sent",
    [
        message(),
        of("triggers.poll", []),
        of("triggers.poll", ["clock", "sync"]),
        message(([], {}, {}), task="triggers.alive", expires="2026-11-27T00:00:00Z"),
    ],
)
def test_what_is_sent_passes(sent: SimpleNamespace):
    assert fault_of(sent, SENT) == ""


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("triggers.match", []),
        ("triggers.match", [ID, 0]),
        ("triggers.match", ["a}:registry{"]),
        ("triggers.match", ["../.."]),
        ("triggers.match", ["*"]),
        ("triggers.match", [ID.upper()]),
        ("triggers.match", [ID, ID]),
        ("triggers.match", [{"a": 1}]),
        ("triggers.match", [None]),
        ("triggers.match", [True]),
        ("triggers.match", ["x" * 200_000]),
        ("triggers.match", [ID, "sync"]),
        ("triggers.poll", [ID]),
        ("triggers.poll", ["match"]),
        ("triggers.poll", ["sync", "sync"]),
        ("triggers.poll", ["sync", ID]),
        ("triggers.poll", [["sync"]]),
        ("triggers.poll", [{"sync": 1}]),
        ("triggers.alive", ["sync"]),
        ("celery.map", [{"task": "triggers.poll"}, []]),
        ("celery.chain", []),
        ("os.system", ["id"]),
    ],
)
def test_arguments_that_are_never_sent_are_refused(task: str, args: list[Any]):
    assert fault_of(of(task, args), SENT)


@pytest.mark.parametrize(
    "wrong",
    [
        message(b"garbage"),
        message(b"\xff\x00"),
        message("x"),
        message({"a": 1}),
        message(([ID], {"x": 1}, {})),
        message(b"[" * 50_000),
        message(task={"a": 1}),
        message(id=None),
        message(eta="nonsense"),
        message(eta="2026-11-27T00:00:00+00:00"),
        message(expires="nonsense"),
        message(expires=5),
        message(retries="x"),
        message(timelimit="x"),
        message(timelimit=5),
        SimpleNamespace(headers=None, body=b""),
        SimpleNamespace(),
    ],
)
def test_messages_of_another_form_are_refused(wrong: SimpleNamespace):
    assert fault_of(wrong, SENT)


@pytest.mark.parametrize("name", list(NOTHING_AFTER))
def test_nothing_is_done_after_it(name: str):
    follows = [{"task": "triggers.poll", "args": [], "kwargs": {}, "options": {}}]
    assert "after it" in fault_of(of("triggers.poll", [], {name: follows}), SENT)
