"""Ticks of what can wait leave one thread of a worker process to polls and launches."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from workers import room
from workers.room import Room, leaving_room


def test_as_many_as_may_run_and_the_next_tick_does_nothing() -> None:
    threads, started, end, done = Room(most=2), threading.Semaphore(0), threading.Event(), list[str]()

    def waits() -> str:
        started.release()
        assert end.wait(10)
        return "waited"

    tick = leaving_room(waits, threads)
    running = [threading.Thread(target=lambda: done.append(tick())) for _ in range(2)]
    for one in running:
        one.start()
    assert all(started.acquire(timeout=10) for _ in running)
    assert tick() == ""
    end.set()
    for one in running:
        one.join(10)
    assert done == ["waited", "waited"]
    assert tick() == "waited"


def test_a_tick_that_fails_gives_its_thread_back() -> None:
    threads = Room(most=1)

    def fails() -> str:
        raise RuntimeError("broken")

    for _ in range(2):
        with pytest.raises(RuntimeError):
            leaving_room(fails, threads)()
    assert threads.take()


@pytest.mark.parametrize(("concurrency", "most"), [(8, 7), (4, 3), (2, 1), (1, 1), (None, 1)])
def test_one_thread_is_left(monkeypatch: pytest.MonkeyPatch, concurrency: int | None, most: int) -> None:
    monkeypatch.setattr(room, "ROOM", Room())
    room._know_threads(instance=SimpleNamespace(concurrency=concurrency))
    assert most == room.ROOM.most
