"""HTTP to receivers outside: connections to checked addresses only, and one request with its answer within a bound.

The address is checked where the connection is made: the name is resolved once, and what is connected to is one of the
addresses that this look-up gave. A name that resolves to something else a moment later changes nothing. TLS and `Host`
keep the name. Each request has a connection of its own, so that nothing of one answer can pass for another's.

Proxies of the environment are not used: a proxy would resolve the name itself, and nothing could be checked here.
"""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from triggers.actions.sending.verdicts import ReceiverAnswer, Unsent
from triggers.base.answer_body import TooMuch, read_body
from triggers.base.errors import LaunchImpossible
from triggers.base.receivers import Allowed, parse
from triggers.clearml_api.limited import Limited, LimitedTls

#: The longest that one request may take, look-up of the name and answer included.
SECONDS: Final = 10.0
#: The longest wait for a connection to one address, where there are others.
_CONNECT_SECONDS: Final = 5.0
#: What is read of an answer, of which only the status counts, bytes.
_LARGEST_BYTES: Final = 65_536

_PORTS: Final = {"http": 80, "https": 443}
_HEADERS: Final = {"User-Agent": "clearml-triggers", "Connection": "close", "Accept-Encoding": "identity"}


def open_socket(host: str, port: int, allowed: Allowed, until: float) -> socket.socket:
    """Connect to a host at an address that is open.

    Args:
        host: a name or an address.
        port: of the receiver.
        allowed: what is open beside the public internet.
        until: of the monotonic clock.

    Raises:
        LaunchImpossible: the host has no address that is open.
        OSError: no connection in time, or the name is unknown.
    """
    found = _resolve(host, port, until)
    problems = [allowed.problem_of(host, str(address[0])) for _, address in found]
    if found and all(problems):
        raise LaunchImpossible(problems[0])
    failure: OSError = OSError(f"{host} has no address")
    checked = [one for one, problem in zip(found, problems, strict=True) if not problem]
    for left, (family, address) in zip(range(len(checked), 0, -1), checked, strict=True):
        remaining = until - time.monotonic()
        try:
            sock = _connect(family, address, remaining if left == 1 else min(_CONNECT_SECONDS, remaining / 2))
        except OSError as error:
            failure = error
            continue
        problem = allowed.problem_of(host, str(sock.getpeername()[0]))
        if problem:  # what is connected to counts, whatever was looked up
            sock.close()
            raise LaunchImpossible(problem)
        sock.settimeout(max(0.001, until - time.monotonic()))
        return sock
    raise failure


def _connect(family: int, address: Any, seconds: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(max(0.001, seconds))
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        sock.close()
        raise
    return sock


def _resolve(host: str, port: int, until: float) -> list[tuple[int, Any]]:
    """Family and address of a host, each once; in a thread, since a look-up knows no limit of time.

    Raises:
        socket.gaierror: the name is unknown.
        TimeoutError: no answer in time.
    """
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except Exception as error:
            answers.put(error)

    if parse(host):  # an address needs no look-up
        look_up()
    else:
        threading.Thread(target=look_up, daemon=True, name="look up a receiver").start()
    try:
        found = answers.get(timeout=max(0.001, until - time.monotonic()))
    except queue.Empty:
        raise TimeoutError(f"the name {host} was not resolved in time") from None
    if isinstance(found, UnicodeError):  # no such name can be written
        raise socket.gaierror(socket.EAI_NONAME, "no valid name")
    if isinstance(found, Exception):
        raise found
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


class Checked(Limited):
    """A connection to a checked address, whose time limit counts from before the name is looked up."""

    def __init__(self, *args: Any, allowed: Allowed, **options: Any) -> None:
        super().__init__(*args, **options)
        self._allowed, self._deadline = allowed, 0.0

    def connect(self) -> None:
        """Open it."""
        self._deadline = time.monotonic() + self._seconds
        super().connect()

    def _begin(self) -> None:
        self._until = self._deadline
        self.sock.settimeout(max(0.001, self._until - time.monotonic()))

    def _new_conn(self) -> socket.socket:
        try:
            sock = open_socket(self._dns_host, self.port or 0, self._allowed, self._deadline)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return sock


class CheckedTls(Checked, LimitedTls):
    """The same over TLS, verified for the name."""


class Pool(HTTPConnectionPool):
    """Checked connections to one host."""

    ConnectionCls = Checked


class TlsPool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = CheckedTls


POOLS: Final[dict[str, Any]] = {"http": Pool, "https": TlsPool}


def post(
    url: str, body: bytes, headers: Mapping[str, str | bytes], *, allowed: Allowed, seconds: float = SECONDS
) -> ReceiverAnswer:
    """Send one POST, and give its answer as far as it counts.

    Once the status is there, it counts: what goes wrong with the rest of the answer, or is too much of it, changes
    nothing.

    Raises:
        Unsent: there was no answer; whether the receiver took it is unknown.
        LaunchImpossible: the address is not open, or none.
    """
    parts = urlsplit(url)
    tls = {"cert_reqs": "CERT_REQUIRED", **_authorities()} if parts.scheme == "https" else {}
    options: dict[str, Any] = {"seconds": seconds, "allowed": allowed, "maxsize": 1, **tls}
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    where = f"{host}:{parts.port}" if parts.port else host
    try:
        connections = POOLS[parts.scheme](f"[{host}]" if ":" in host else host, port, **options)
    except urllib3.exceptions.LocationParseError:
        raise LaunchImpossible(f"{host} is not a valid host name; give another address") from None
    with connections as pool:
        try:
            response = pool.urlopen(
                "POST",
                target(url),
                body=body,
                headers=_merged(_HEADERS, headers),
                timeout=urllib3.Timeout(seconds),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unsent(f"{where}: {reason(error, seconds)}") from None  # the message holds the path, maybe a secret
        except OSError as error:
            raise Unsent(f"{where}: {type(error).__name__}") from None
        try:
            read_body(response, limit_bytes=_LARGEST_BYTES)
        except (urllib3.exceptions.HTTPError, OSError, TooMuch, ValueError):
            response.close()
        return ReceiverAnswer(
            response.status, response.headers.get("Retry-After", ""), response.headers.get("Date", "")
        )


def _merged(*several: Mapping[str, str | bytes]) -> dict[str, Any]:
    """Headers of which the last of a name counts, in whichever case it is written: each is sent once."""
    found = {name.lower(): (name, value) for headers in several for name, value in headers.items()}
    return dict(found.values())


def target(url: str) -> str:
    """Path and query of an address."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _authorities() -> dict[str, str]:
    place = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where()
    return {"ca_cert_dir" if os.path.isdir(place) else "ca_certs": place}


def reason(error: BaseException, seconds: float) -> str:
    """Why there was no answer, without the path and the query that urllib3 puts into its messages."""
    inner = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    if isinstance(inner, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(inner, TimeoutError):
        return f"no answer in {seconds:g} s"
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return f"no connection ({type(inner).__name__})"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return f"no answer in {seconds:g} s"
    if isinstance(error, urllib3.exceptions.SSLError):
        return f"TLS failed ({str(inner)[:120]})"
    return f"the connection broke ({type(inner).__name__})"
