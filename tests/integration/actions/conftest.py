"""A receiver beside the world of the stages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.actions.receiver import Receiver
from tests.integration.stages.conftest import World, server, world
from triggers.context import Context
from triggers.ledger.history.history import HistoryEntry
from triggers.model import Trigger, make_trigger
from triggers.model.action import DeclaredAction

__all__ = ["server", "world"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def allowing(world: World, **settings: Any) -> Context:
    """A worker that may send to loopback, and tries again when `World.expire_leases` has ended the pause."""
    return world.context(**{"webhook_allow": ("127.0.0.1",), "retry_base_seconds": 20.0, **settings})


def declare(world: World, action: DeclaredAction, kind: str = "task", name: str = "t", **fields: Any) -> None:
    """That trigger alone, with that action alone; for ClearML tasks that have failed, unless fields say otherwise."""
    world.declare(trigger(action, kind, name, **fields))


def trigger(action: DeclaredAction, kind: str = "task", name: str = "t", **fields: Any) -> Trigger:
    if kind == "task" and not fields:
        fields["trigger_on_status"] = ["failed"]
    return make_trigger(kind, name=name, action=action, **fields)


def ended(world: World) -> list[tuple[str, str]]:
    """What became of firings, and why, oldest first."""
    return [(entry.what, entry.reason) for entry in world.history() if entry.what not in ("granted", "claimed")]


def only(entries: list[HistoryEntry]) -> HistoryEntry:
    (entry,) = entries
    return entry
