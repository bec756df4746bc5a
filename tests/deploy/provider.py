"""Redis as a provider runs it: TLS with an authority of its own, no admin commands, idle connections cut."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from triggers.local.redis_server import PrivateRedis

#: What providers give: everything but what concerns the server itself. `-@dangerous` holds KEYS and CONFIG as well.
USER = ("on", ">sesame", "~*", "&*", "+@all", "-@admin", "-@dangerous", "+info")

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def made_certificates(folder: Path) -> None:
    """A certificate of 127.0.0.1 (`redis.pem`, `redis.key`), signed by an authority of its own (`ca.pem`)."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("req", "-x509", *_CURVE, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
    openssl("req", *_CURVE, "-subj", "/CN=redis", "-keyout", "redis.key", "-out", "redis.csr")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl("x509", "-req", "-in", "redis.csr", *signed, "-out", "redis.pem")


class Front:
    """The provider's address: ends TLS, passes bytes on, and closes a connection that was silent for a while.

    A real provider waits a minute or more. Here it waits less than anything in this project is silent, so that each of
    its connections that rests at all is cut, again and again.
    """

    def __init__(self, socket: str, folder: Path, *, idle_seconds: float) -> None:
        self.cut = 0
        self._socket, self._idle_seconds = socket, idle_seconds
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(folder / "redis.pem", folder / "redis.key")
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._begun.wait(60)

    async def _run(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = int(server.sockets[0].getsockname()[1])
        self._begun.set()
        await self._ended.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_unix_connection(self._socket)
        heard = [self._loop.time()]

        async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while received := await source.read(65536):
                    heard[0] = self._loop.time()
                    sink.write(received)
                    await sink.drain()

        flows = [asyncio.ensure_future(pass_on(reader, to_behind)), asyncio.ensure_future(pass_on(behind, writer))]
        try:
            while not any(flow.done() for flow in flows):
                rest = heard[0] + self._idle_seconds - self._loop.time()
                if rest <= 0:
                    self.cut += 1
                    break
                await asyncio.wait(flows, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for flow in flows:
                flow.cancel()
            for one in (writer, to_behind):
                one.transport.abort()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()


class Provider:
    """One Redis of a provider, and its address with and without the user's rights."""

    def __init__(self, binary: str, folder: Path, *, idle_seconds: float) -> None:
        made_certificates(folder)
        self.folder = folder
        self.server = PrivateRedis(folder / "redis", server=binary)
        self.admin_url = self.server.start()
        self.front = Front(self.admin_url.removeprefix("unix://"), folder, idle_seconds=idle_seconds)
        self.url = f"rediss://someone:sesame@127.0.0.1:{self.front.port}/0?ssl_ca_certs={folder / 'ca.pem'}"

    def close(self) -> None:
        self.front.close()
        self.server.stop()


def provided(binary: str, folder: Path, *, idle_seconds: float = 3.0) -> Iterator[Provider]:
    """A provider's Redis for one test."""
    provider = Provider(binary, folder, idle_seconds=idle_seconds)
    try:
        yield provider
    finally:
        provider.close()
