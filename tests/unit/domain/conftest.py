from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from triggers.actions.clearml_task import TaskAction
from triggers.model import Trigger, make_trigger
from triggers.model.events import Event


@pytest.fixture
def make() -> Callable[..., Trigger]:
    """Build a trigger of a kind from its condition, with an action that does not matter."""

    def build(kind: str, **fields: Any) -> Trigger:
        fields.setdefault("action", TaskAction(base_task_id="base", queue="q"))
        if kind == "schedule":
            fields.setdefault("hour", 1)
        return make_trigger(kind, **{"name": "t", **fields})  # type: ignore[arg-type]

    return build


@pytest.fixture
def event() -> Callable[..., Event]:
    """Build an event of a kind from what matters in it."""

    def build(kind: str = "task", **fields: Any) -> Event:
        return Event(kind=kind, **{"id": "id1", "changed_ms": 1, **fields})  # type: ignore[arg-type]

    return build
