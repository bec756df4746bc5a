"""What tells a message that makes no sense from one that this project sends."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from triggers.base.messages import fault_of

TASKS = {"triggers.match": ("scheduler", "partition"), "triggers.alive": ()}
ID = "ab12" * 4


def message(body: Any = ([ID, 3], {}, {"callbacks": None}), **headers: Any) -> SimpleNamespace:
    known = {"task": "triggers.match", "id": "1", "retries": 0, "timelimit": [None, None], "eta": None, "expires": None}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SimpleNamespace(headers={**known, **headers}, body=text)


def test_messages_that_are_sent_are_in_order():
    assert not fault_of(message(), TASKS)
    assert not fault_of(message(([], {}, {}), task="triggers.alive", expires="2026-11-27T00:00:00+00:00"), TASKS)


@pytest.mark.parametrize(
    "wrong",
    [
        message(b"garbage"),
        message(b"\xff\x00"),
        message("x"),
        message({"a": 1}),
        message((["a"], {"x": 1}, {})),
        message(([{"a": 1}], {}, {})),
        message((["s", None], {}, {})),
        message((["s", True], {}, {})),
        message((["x" * 200_000, 0], {}, {})),
        message(b"[" * 50_000),
        message(task="os.system"),
        message(task={"a": 1}),
        message(id=None),
        message(eta="nonsense"),
        message(expires="nonsense"),
        message(expires=5),
        message(retries="x"),
        message(timelimit="x"),
        message(timelimit=5),
        SimpleNamespace(headers=None, body=b""),
        SimpleNamespace(),
    ],
)
def test_messages_that_nobody_sends_have_a_fault(wrong: SimpleNamespace):
    assert fault_of(wrong, TASKS)
