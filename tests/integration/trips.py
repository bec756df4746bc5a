"""Counts trips to Redis: each send waits for its answer, so that on a network each costs its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

Trips = Callable[[Callable[[], Any]], int]


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    """How many trips are made while something is done."""
    sent: list[object] = []
    send = redis.connection.AbstractConnection.send_packed_command

    def counted(self: Any, command: Any, check_health: bool = True) -> None:
        sent.append(command)
        send(self, command, check_health)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counted)

    def during(done: Callable[[], Any]) -> int:
        before = len(sent)
        done()
        return len(sent) - before

    return during
