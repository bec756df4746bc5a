"""Messages: only those that this project sends are taken, whatever Celery would do with others."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from triggers.base.messages import fault_of

SENT = {"triggers.match": ("scheduler", "partition"), "triggers.dispatch": ("scheduler",), "triggers.poll": ()}
ID = "0123456789abcdef"


def message(task: str, args: list[Any], embedded: dict[str, Any] | None = None, **headers: Any) -> SimpleNamespace:
    body = json.dumps([args, {}, embedded or {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    return SimpleNamespace(headers={"task": task, "id": "i", **headers}, body=body)


@pytest.mark.parametrize(
    ("task", "args"), [("triggers.match", [ID, 0]), ("triggers.dispatch", [ID]), ("triggers.poll", [])]
)
def test_what_is_sent_passes(task: str, args: list[Any]):
    assert fault_of(message(task, args), SENT) == ""


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("triggers.match", [ID]),
        ("triggers.match", [ID, -1]),
        ("triggers.match", [ID, 256]),
        ("triggers.match", [ID, "0"]),
        ("triggers.match", [ID, True]),
        ("triggers.match", ["a}:registry{", 0]),
        ("triggers.match", ["../..", 0]),
        ("triggers.dispatch", ["*"]),
        ("triggers.dispatch", [ID.upper()]),
        ("triggers.dispatch", [ID, ID]),
        ("triggers.dispatch", [{"a": 1}]),
        ("triggers.poll", [ID]),
        ("celery.map", [{"task": "triggers.poll"}, []]),
        ("celery.chain", []),
        ("os.system", ["id"]),
    ],
)
def test_what_is_never_sent_is_refused(task: str, args: list[Any]):
    assert fault_of(message(task, args), SENT)


@pytest.mark.parametrize("name", ["callbacks", "errbacks", "chain", "chord"])
def test_nothing_is_done_after_it(name: str):
    follows = [{"task": "triggers.poll", "args": [], "kwargs": {}, "options": {}}]
    assert "after it" in fault_of(message("triggers.poll", [], {name: follows}), SENT)
