"""The address of Redis as people write it, and what its readers redis-py, Celery and RedBeat need of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

import redis

from triggers.errors import Usage

SCHEMES = ("redis", "rediss", "unix", "redis+socket")
_WAY_OUT = "give one Redis: redis://HOST:PORT/DB, rediss://... for TLS, or unix:///PATH"
_SINGLE = (
    "Sentinel and Cluster are not supported, since their failover drops writes that were confirmed and a firing "
    "could be lost or launched twice; " + _WAY_OUT
)
_CERT_REQS = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`url` without the parameters of TLS, which are in `tls` as redis-py and kombu both take them."""

    url: str = field(repr=False)
    tls: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> RedisAddress:
        """Read an address.

        Raises:
            Usage: it is none, or one of Sentinel or Cluster; the message carries no password.
        """
        parts = _split(text)
        host = parts.netloc.rpartition("@")[2]
        if "sentinel" in parts.scheme or "cluster" in parts.scheme or ";" in host or "," in host:
            raise Usage(f"the Redis address {shown(text)}: {_SINGLE}")
        if parts.scheme not in SCHEMES:
            raise Usage(f"the Redis address {shown(text)} has no scheme of {', '.join(SCHEMES)}: {_WAY_OUT}")
        query = dict(parse_qsl(parts.query))
        tls = _tls(query) if parts.scheme == "rediss" else {}
        scheme = "unix" if parts.scheme == "redis+socket" else parts.scheme
        rest = urlunsplit(("", parts.netloc, parts.path, urlencode(query), ""))
        # urlunsplit would write unix:/path
        return cls(f"{scheme}:{rest if rest.startswith('//') else '//' + rest}", tls)

    @property
    def is_socket(self) -> bool:
        """Whether it is a Unix socket."""
        return self.url.startswith("unix:")

    @property
    def for_celery(self) -> str:
        """As Celery spells it."""
        return self.url.replace("unix://", "redis+socket://", 1)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # what it says may hold the password
        raise Usage(f"the Redis address is no URL: {_WAY_OUT}") from None


def _tls(query: dict[str, str]) -> dict[str, Any]:
    """Take the parameters of TLS out of the query. Certificates are checked unless it says otherwise."""
    wanted = query.pop("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if wanted not in _CERT_REQS:
        raise Usage(f"ssl_cert_reqs={wanted!r} in the Redis address: one of {', '.join(_CERT_REQS)}")
    files = {name: query.pop(name) for name in _TLS_FILES if name in query}
    check = query.pop("ssl_check_hostname", "true").lower() not in ("false", "0", "no")
    return {"ssl_cert_reqs": _CERT_REQS[wanted], "ssl_check_hostname": check and wanted == "required", **files}


def with_password(url: str, password: str) -> str:
    """The address with a password where it has none.

    Raises:
        Usage: it is no URL.
    """
    parts = _split(url)
    if parts.password:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def shown(url: str) -> str:
    """The address without what is secret in it."""
    parts = _split(url.partition(";")[0])
    user, _, host = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{user.partition(':')[0] + ':***@' if user else ''}{host}{parts.path}"


def refuse_unsupported(client: redis.Redis, url: str) -> None:
    """Look whether what answers is a single Redis. A Redis that does not answer passes: it may come up yet.

    Raises:
        Usage: it is a Sentinel or a node of a Cluster.
    """
    try:
        mode = dict(client.info("server")).get("redis_mode", "standalone")
    except (redis.RedisError, OSError):
        return
    if mode != "standalone":
        raise Usage(f"the Redis at {shown(url)} runs as {mode}: {_SINGLE}")
