"""Ways to Redis that can be cut: one address for each process, passed on by a thread of this one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
READ_BYTES = 65536


class Way:
    """One address of this machine in front of a Unix socket."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.port = 0
        self._passing = asyncio.Event()
        self._passing.set()
        self._swallowing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        try:
            far, far_out = await asyncio.open_unix_connection(self.socket)
        except OSError:  # Redis is away
            near_out.transport.abort()
            return
        self._writers |= {near_out, far_out}
        # canceled when all ends: a stream server would call that an error of its own
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass(near, far_out), self._pass(far, near_out, answers=True))
        self._writers -= {near_out, far_out}

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(READ_BYTES):
                if answers and self._swallowing:
                    break
                await self._passing.wait()
                sink.write(data)
                await sink.drain()
        sink.transport.abort()

    def cut(self) -> None:
        """Break what is open; new connections are let through."""
        for writer in self._writers:
            writer.transport.abort()

    def mute(self, silent: bool) -> None:
        """While it is silent, nothing passes and no error is raised."""
        if silent:
            self._passing.clear()
        else:
            self._passing.set()

    def swallow(self, swallowing: bool) -> None:
        """While it swallows, commands arrive and take effect; instead of the answer the connection breaks."""
        self._swallowing = swallowing

    async def close(self) -> None:
        assert self._server
        self._server.close()
        self._passing.set()
        self.cut()


class Ways:
    """The thread that passes bytes on. Its methods may be called from any other."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.ways: dict[str, Way] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ways", daemon=True)
        self._thread.start()

    def add(self, name: str) -> str:
        """Open a way under a name; the address of Redis on it."""

        async def make() -> Way:
            way = Way(self.socket)
            await way.open()
            return way

        self.ways[name] = asyncio.run_coroutine_threadsafe(make(), self._loop).result()
        return f"redis://127.0.0.1:{self.ways[name].port}/0"

    def do(self, name: str, what: Callable[[Way], None]) -> None:
        """Do something to a way."""
        self._loop.call_soon_threadsafe(what, self.ways[name])

    def close(self) -> None:
        """End them all."""

        async def end() -> None:
            for way in self.ways.values():
                await way.close()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
