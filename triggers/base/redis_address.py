"""The address of Redis as people write it, and what its readers redis-py and Celery need of it."""

from __future__ import annotations

import inspect
import os
import ssl
import sys
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

import redis

from triggers.base.errors import Usage
from triggers.base.meant import meant

SCHEMES = ("redis", "rediss", "unix", "redis+socket")
#: How providers of Valkey write it.
_OF_VALKEY = {"valkey": "redis", "valkeys": "rediss"}
_SOCKETS = ("unix", "redis+socket")
_WAY_OUT = "give one Redis: redis://HOST:PORT/DB, rediss://... for TLS, or unix:///PATH?db=DB"
_QUOTING = (
    "write special characters of a password as %XX ('/' is %2F), or set the password separately with "
    "TRIGGERS_REDIS_PASSWORD"
)
_SINGLE = (
    "Sentinel and Cluster are not supported, since their failover drops writes that were confirmed and a firing "
    "could be lost or launched twice; " + _WAY_OUT
)
#: What to do about a Redis that evicts.
NO_EVICTION = (
    "set maxmemory-policy to noeviction: with CONFIG SET, or in the settings (parameter group) of a managed Redis"
)
_WHY_RUN_ID = ", by which workers notice that Redis restarted and may have forgotten its last second"
_WHY_INFO = f"; the user must be allowed INFO{_WHY_RUN_ID}: ACL SETUSER USER +info"
_CERT_REQS = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
#: Python 3.13 and later also ask authorities for extensions that those of companies and providers often lack. One that
#: an address names is judged as on every other Python, if redis-py is able to (since 7).
_STRICT_BY_DEFAULT = sys.version_info >= (3, 13)
_CAN_BE_LENIENT = "ssl_exclude_verify_flags" in inspect.signature(redis.SSLConnection.__init__).parameters
_TLS = ("ssl_cert_reqs", "ssl_check_hostname", *_TLS_FILES)
#: redis-py calls it `db`, Celery `virtual_host`
_DATABASE = ("db", "virtual_host")


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`url` as redis-py reads it, `for_celery` the same Redis and database as Celery spells it.

    Both are without the parameters of TLS, which are in `tls` as redis-py and kombu both take them.
    """

    url: str = field(repr=False)
    for_celery: str = field(repr=False)
    tls: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> RedisAddress:
        """Read an address. All readers are given one spelling, so that it means the same to each.

        Raises:
            Usage: it is not an address of Redis, or that of Sentinel or Cluster; the message carries no password.
        """
        parts = _split(text)
        parts = parts._replace(scheme=_OF_VALKEY.get(parts.scheme, parts.scheme))
        host = parts.netloc.rpartition("@")[2]
        if "sentinel" in parts.scheme or "cluster" in parts.scheme or ";" in host or "," in host:
            raise Usage(f"the Redis address {shown(text)}: {_SINGLE}")
        if parts.scheme not in SCHEMES:
            # not shown: what is not an address of Redis may be a password that was set in the wrong place
            schemes = f"{', '.join(SCHEMES)}{meant(parts.scheme, SCHEMES)}"
            raise Usage(f"the Redis address does not start with one of {schemes}: {_WAY_OUT}")
        query = _query(parts, text)
        tls = _tls({name: value for name, value in query.items() if name in _TLS}) if parts.scheme == "rediss" else {}
        login = _login(parts, query)
        database = _database(parts, query, text)
        if parts.scheme in _SOCKETS:
            if host or not parts.path:
                raise Usage(f"the Redis address {shown(text)} names no socket: write unix:///PATH?db=DB")
            # a socket has one address, and a password in its own place
            return cls(
                f"unix://{login}{parts.path}?db={database}",
                f"redis+socket://{login}{parts.path}?virtual_host={database}",
                tls,
            )
        url = f"{parts.scheme}://{login}{host or 'localhost'}/{database}"
        return cls(url, url, tls)

    @property
    def is_socket(self) -> bool:
        """Whether it is a Unix socket."""
        return self.url.startswith("unix:")

    def require_files(self) -> None:
        """See that the files of TLS are there: a missing one would look like a Redis that cannot be reached.

        Raises:
            Usage: one is not, or cannot be read.
        """
        for name in _TLS_FILES:
            path = self.tls.get(name)
            if path is not None and not (os.path.isfile(path) and os.access(path, os.R_OK)):
                raise Usage(f"{name}={path} in the Redis address {shown(self.url)} is not a file that can be read here")


def _split(url: str) -> SplitResult:
    """The parts of an address, its port among them."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # what it says may hold the password
        raise Usage(f"the Redis address is not a URL: {_WAY_OUT}; {_QUOTING}") from None
    if "@" in parts.path + parts.query + parts.fragment or parts.fragment:
        # the password goes on behind what looks like the end of the host
        raise Usage(f"the Redis address has '@' or '#' after its host: {_QUOTING}")
    return parts


def _query(parts: SplitResult, text: str) -> dict[str, str]:
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = (*_DATABASE, "username", "password", *(_TLS if parts.scheme == "rediss" else ()))
    for name in query:
        if name not in known:
            # not silently dropped: one reader would obey it and the others not
            names = f"{', '.join(known)}{meant(name, known)}"
            raise Usage(f"the Redis address {shown(text)} has the parameter {name!r:.40}; known are {names}")
    return query


def _login(parts: SplitResult, query: dict[str, str]) -> str:
    """User and password with an @ behind them, from where either reader expects them; "" when there are none."""
    user = query.get("username", unquote(parts.username or ""))
    password = query.get("password", unquote(parts.password or ""))
    if not user and not password:
        return ""
    return f"{quote(user, safe='')}:{quote(password, safe='')}@"


def _database(parts: SplitResult, query: dict[str, str], text: str) -> int:
    path = "" if parts.scheme in _SOCKETS else parts.path.strip("/")
    given = {value for value in (path, *(query.get(name, "") for name in _DATABASE)) if value}
    if len(given) > 1:
        raise Usage(f"the Redis address {shown(text)} names several databases: {', '.join(sorted(given))}")
    found = given.pop() if given else "0"
    if not (found.isascii() and found.isdigit()):
        raise Usage(
            f"the Redis address {shown(text)} names the database {found!r:.40}, which is not a number: {_WAY_OUT}"
        )
    return int(found)


def _tls(query: dict[str, str]) -> dict[str, Any]:
    """The parameters of TLS. Certificates are checked unless they say otherwise."""
    wanted = query.pop("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if wanted not in _CERT_REQS:
        near = meant(wanted, _CERT_REQS)
        raise Usage(f"ssl_cert_reqs={wanted!r} in the Redis address: one of {', '.join(_CERT_REQS)}{near}")
    files: dict[str, Any] = {name: query[name] for name in _TLS_FILES if name in query}
    if "ssl_ca_certs" in files and _STRICT_BY_DEFAULT and _CAN_BE_LENIENT:
        files["ssl_exclude_verify_flags"] = [ssl.VERIFY_X509_STRICT]
    check = query.get("ssl_check_hostname", "true").lower() not in ("false", "0", "no")
    return {"ssl_cert_reqs": _CERT_REQS[wanted], "ssl_check_hostname": check and wanted == "required", **files}


def with_password(url: str, password: str) -> str:
    """The address with a password where it has none.

    Raises:
        Usage: it is not a URL.
    """
    parts = _split(url)
    if parts.password or "password" in dict(parse_qsl(parts.query)):
        return url
    user, _, host = parts.netloc.rpartition("@")
    # not `urlunsplit` alone: it would write unix:/path
    return urlunsplit(parts._replace(netloc=f"{user.removesuffix(':')}:{quote(password, safe='')}@{host}"))


def shown(url: str) -> str:
    """The address without what is secret in it."""
    parts = _split(url.partition(";")[0])
    user, _, host = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{user.partition(':')[0] + ':***@' if user else ''}{host}{parts.path}"


def refuse_unsupported(client: redis.Redis, url: str) -> None:
    """Look whether what answers is a single Redis. A Redis that does not answer passes: it may come up yet.

    Raises:
        Usage: it is a Sentinel or a node of a Cluster, evicts keys when it is full, or refuses for a reason that
            waiting does not fix, such as a wrong password or a user that may not call INFO.
    """
    from triggers.base import redis_refusals, redis_tls  # the ledger itself reads addresses

    try:
        info: dict[str, Any] = {}
        for section in ("server", "memory", "cluster"):
            info |= dict(client.info(section))
    except (redis.RedisError, OSError) as failure:
        why = redis_refusals.in_words(failure)
        if not why and isinstance(failure, redis.ResponseError):  # a provider that hides commands
            why = f"it refuses a command: {failure}"
        elif not redis_refusals.needs_person(failure):
            why = redis_tls.disagreement(url)
            if not why:
                return
        why += _WHY_INFO if "info" in str(failure).lower() else ""
        raise Usage(f"the Redis at {shown(url)} cannot be used: {why}") from failure
    if (mode := _mode(info)) != "standalone":
        raise Usage(f"the Redis at {shown(url)} runs as {mode}: {_SINGLE}")
    if not info.get("run_id"):
        raise Usage(f"the Redis at {shown(url)} cannot be used: its INFO has no run_id{_WHY_RUN_ID}")
    if evicts := eviction(_with_policy(client, info)):
        raise Usage(f"the Redis at {shown(url)} cannot be used: {evicts}; {NO_EVICTION}")


def _mode(info: dict[str, Any]) -> str:
    """As what a Redis runs: Valkey names the field otherwise since 8, and a provider may hide it."""
    if int(info.get("cluster_enabled", 0)):
        return "cluster"
    return str(info.get("server_mode") or info.get("redis_mode") or "standalone")


def eviction_now(client: redis.Redis) -> str:
    """What a Redis forgets when it is full, by its settings of now; "" if nothing, or if it does not say.

    Raises:
        redis.RedisError: no answer, or its user may not ask.
    """
    return eviction(_with_policy(client, dict(client.info("memory"))))


def _with_policy(client: redis.Redis, info: dict[str, Any]) -> dict[str, Any]:
    """What INFO says of memory, with what CONFIG says where INFO lacks the policy."""
    return info if "maxmemory_policy" in info else {**info, **_settings_of_memory(client)}


def _settings_of_memory(client: redis.Redis) -> dict[str, Any]:
    """Limit and policy as CONFIG has them, with the names of INFO; nothing where both are hidden."""
    try:
        found: Any = client.config_get("maxmemory*")
    except redis.RedisError:
        return {}
    return {name.replace("-", "_"): value for name, value in found.items()}


def eviction(info: dict[str, Any]) -> str:
    """What a Redis would forget when it is full, by its own INFO; "" if nothing, or if it has no limit to reach."""
    policy, most = info.get("maxmemory_policy", "noeviction"), int(info.get("maxmemory", 0))
    if policy == "noeviction" or not most:
        return ""
    return (
        f"when its {most >> 20} MiB are full, it evicts keys (maxmemory-policy is {policy}), "
        "and a firing could be lost or launched twice"
    )
