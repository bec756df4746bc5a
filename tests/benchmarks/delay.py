"""A network between workers and Redis: a proxy that passes bytes on later, however many are under way."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from triggers.base.redis_address import RedisAddress


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    """Each piece arrives so much later than it was sent; none waits for the one before."""
    loop, under_way = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def arrive() -> None:
        while True:
            at, piece = await under_way.get()
            if (pause := at - loop.time()) > 0:
                await asyncio.sleep(pause)
            if not piece:
                break
            sink.write(piece)
            await sink.drain()
        sink.close()

    arriving = asyncio.ensure_future(arrive())
    with suppress(OSError):
        while piece := await source.read(1 << 16):
            under_way.put_nowait((loop.time() + seconds, piece))
    under_way.put_nowait((loop.time() + seconds, b""))
    with suppress(OSError):
        await arriving


async def _serve(telling: Any, path: str, seconds: float) -> None:
    async def connected(near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far_in, far_out = await asyncio.open_unix_connection(path)
        await asyncio.gather(_pass_on(near_in, far_out, seconds), _pass_on(far_in, near_out, seconds))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    telling.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _run(telling: Any, path: str, seconds: float) -> None:
    asyncio.run(_serve(telling, path, seconds))


@contextmanager
def delayed(url: str, milliseconds: float) -> Iterator[str]:
    """Address by which Redis on a Unix socket is reached with trips of so many milliseconds, there and back."""
    path = urlsplit(RedisAddress.parse(url).url).path
    context = multiprocessing.get_context("spawn")
    listening, telling = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(telling, path, milliseconds / 2000), daemon=True)
    process.start()
    telling.close()
    try:
        yield f"redis://127.0.0.1:{listening.recv()}/0"
    finally:
        process.terminate()
        process.join()
