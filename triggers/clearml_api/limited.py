"""HTTP connections on which one exchange, from the request to the end of the answer, has a time limit of its own.

A timeout of urllib3 and of sockets is that of a single read: a server that sends a byte now and then would hold a
thread without end. The limit begins once the connection is open, so that it counts what the server may act on.
"""

from __future__ import annotations

import http.client
import io
import time
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from triggers.base.logs import logger

log = logger(__name__)

#: hosts about whose unverified certificate this process has warned
_told: set[str] = set()


class _Remaining(io.RawIOBase):
    """What a socket receives until a time of the monotonic clock."""

    def __init__(self, raw: Any, sock: Any, until: float) -> None:
        self._raw, self._sock, self._until = raw, sock, until

    def readable(self) -> bool:
        """Always: needed by the buffer on top."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive some bytes.

        Raises:
            TimeoutError: none came in the time that was left.
        """
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(remaining)
        received: int | None = self._raw.readinto(buffer)
        return received

    def fileno(self) -> int:
        """The socket's."""
        number: int = self._raw.fileno()
        return number

    def close(self) -> None:
        """Release the socket."""
        if not self.closed:
            self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose headers and body have the socket's timeout together."""

    def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        seconds = sock.gettimeout()
        if seconds is not None:
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_Remaining(raw, sock, time.monotonic() + seconds))

    def _read_status(self) -> Any:
        """Pass over every informational answer (103 Early Hints), as `http.client` does over 100 Continue alone."""
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, HTTPStatus.CONTINUE if 101 < status < 200 else status, reason


class Limited(HTTPConnection):
    """A connection whose exchanges take `seconds` at most; urllib3's connect timeout limits opening it alone."""

    response_class = _Answer  # of proxies' answers to CONNECT as well

    def __init__(self, *args: Any, seconds: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._seconds, self._until = seconds, 0.0

    def connect(self) -> None:
        """Open it; from then on the exchange counts."""
        super().connect()
        self._begin()

    def request(self, *args: Any, **options: Any) -> None:
        """Send a request: with the whole limit, since a large body takes longer than opening a connection."""
        if self.sock is not None:  # else it is opened while sending, within the connect timeout
            self.timeout = self._seconds
            self._begin()
        super().request(*args, **options)

    def getresponse(self) -> Any:
        """Receive the answer in what is left of the time."""
        self.timeout = max(0.001, self._until - time.monotonic())
        return super().getresponse()

    def _begin(self) -> None:
        self._until = time.monotonic() + self._seconds
        self.sock.settimeout(self._seconds)


class LimitedTls(Limited, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = Limited


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = LimitedTls

    def _validate_conn(self, conn: Any) -> None:
        """Open a connection; say once a process that a host is not verified, where urllib3 says so at each."""
        if conn.is_closed:
            conn.connect()
        if not conn.is_verified and not conn.proxy_is_verified and self.host not in _told:
            _told.add(self.host)
            log.warning("the certificate of %s is not verified: api.verify_certificate is off", self.host)


_POOLS: Final[dict[str, Any]] = {"http": _Pool, "https": _TlsPool}


def pool(url: str, *, seconds: float, **options: Any) -> HTTPConnectionPool:
    """Limited connections to one host; takes what urllib3's pools take."""
    parts = urllib3.util.parse_url(url)
    made: HTTPConnectionPool = _POOLS[parts.scheme or "http"](parts.host, parts.port, seconds=seconds, **options)
    return made


def limit(manager: urllib3.PoolManager, seconds: float) -> None:
    """Let a manager that has made no connection yet make limited ones."""
    limited: Any = {scheme: partial(cls, seconds=seconds) for scheme, cls in _POOLS.items()}
    manager.pool_classes_by_scheme = limited
