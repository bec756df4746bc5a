"""Why a connection to Redis ends at once: the two sides do not agree on TLS, or on who the client is.

Redis closes such connections, and what the client reads depends on which side is faster. So the handshake is done
once more, and nothing is sent after it.
"""

from __future__ import annotations

import socket
import ssl
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from triggers.base.redis_address import RedisAddress

#: How long each step may take, seconds: a Redis that rests after the handshake waits for a command.
_PATIENCE_SECONDS: Final = 2.0


def disagreement(url: str) -> str:
    """What has to be changed in an address, "" if nothing shows it: Redis is away, or waits for a command."""
    address = RedisAddress.parse(url)
    if address.is_socket:
        return ""
    parts = urlsplit(address.url)
    where = (parts.hostname or "localhost", parts.port or 6379)
    looks = (_answers_plainly, partial(_refuses_client, tls=address.tls)) if address.tls else (_speaks_tls,)
    for look in looks:
        try:
            with socket.create_connection(where, timeout=_PATIENCE_SECONDS) as plain:
                if why := look(plain, where[0]):
                    return why
        except OSError:
            continue
    return ""


def _answers_plainly(plain: socket.socket, host: str) -> str:  # noqa: ARG001
    plain.sendall(b"PING\r\n")  # also one that asks for a password answers
    if plain.recv(1) in (b"+", b"-"):
        return "it does not speak TLS at this port: write redis:// in place of rediss:// (TLS)"
    return ""


def _refuses_client(plain: socket.socket, host: str, *, tls: dict[str, Any]) -> str:
    context = ssl.create_default_context(cafile=tls.get("ssl_ca_certs"))
    context.check_hostname, context.verify_mode = tls["ssl_check_hostname"], tls["ssl_cert_reqs"]
    for flag in tls.get("ssl_exclude_verify_flags", ()):
        context.verify_flags &= ~flag
    if "ssl_certfile" in tls:
        context.load_cert_chain(tls["ssl_certfile"], tls.get("ssl_keyfile"))
    try:
        with context.wrap_socket(plain, server_hostname=host) as encrypted:
            encrypted.recv(1)
    except ssl.SSLError as error:
        if "CERTIFICATE" in (error.reason or ""):
            return (
                f"it does not accept the client's certificate: see ssl_certfile and ssl_keyfile (TLS: {error.reason})"
            )
    return ""


def _speaks_tls(plain: socket.socket, host: str) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLError as error:
        if "ALERT" not in (error.reason or ""):
            return ""
    return "it requires TLS: write rediss:// in place of redis:// (TLS)"
