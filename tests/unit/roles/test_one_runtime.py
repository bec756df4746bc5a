"""Threads that begin at the same time share one runtime: a second would log, count, and ask everything once more."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from triggers.base.settings import settings


class Slow:
    """A runtime that takes a while to make, as it does where Redis is a network away."""

    made = 0

    def __init__(self, *_: object) -> None:
        type(self).made += 1
        self.left_alone: dict[str, str] = {}
        time.sleep(0.05)

    def keep_at_hand(self) -> None: ...


@pytest.fixture
def of_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module, before a runtime is made."""
    monkeypatch.setenv("TRIGGERS_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    from workers import runtime

    monkeypatch.setattr(runtime, "Runtime", Slow)
    monkeypatch.setattr(Slow, "made", 0)
    runtime._made.cache_clear()
    yield runtime
    runtime._made.cache_clear()
    settings.cache_clear()


def test_threads_that_begin_at_the_same_time_share_one(of_process: ModuleType) -> None:
    threads = 8
    together = threading.Barrier(threads)

    def first_use(_: int) -> object:
        together.wait()
        return of_process.runtime()

    with ThreadPoolExecutor(threads) as pool:
        found = set(pool.map(first_use, range(threads)))
    assert len(found) == 1
    assert Slow.made == 1


def test_who_only_looks_makes_none(of_process: ModuleType) -> None:
    assert of_process.runtime_if_made() is None
    assert Slow.made == 0
    assert of_process.runtime() is of_process.runtime_if_made()
