"""What Redis means by an error: whether it is a Redis that cannot be used now, and why. For every client of Redis.

By the class that redis-py gives an error, and by its code: redis-py strips the code off the text where it has a class
for it, and keeps it elsewhere; an older Redis puts it behind other words where a script has met it.
"""

from __future__ import annotations

import re
import ssl
from typing import Final

import redis

_BY_CLASS: Final[tuple[tuple[type[redis.RedisError], str], ...]] = (
    (redis.exceptions.ReadOnlyError, "READONLY"),
    (redis.exceptions.OutOfMemoryError, "OOM"),
    (redis.exceptions.BusyLoadingError, "LOADING"),
    (redis.exceptions.MasterDownError, "MASTERDOWN"),
    (redis.exceptions.ClusterDownError, "CLUSTERDOWN"),
    (redis.exceptions.NoPermissionError, "NOPERM"),
    (redis.exceptions.MaxConnectionsError, "MAXCLIENTS"),
    (redis.exceptions.TimeoutError, "TIMEOUT"),
    (redis.exceptions.ConnectionError, "CONNECTION"),
)

#: What an error's code says to a person.
_IN_WORDS: Final = {
    "READONLY": "it is a read-only replica: point TRIGGERS_REDIS_URL to the primary",
    "OOM": "it has reached its maxmemory: raise it, and keep maxmemory-policy at noeviction",
    "LOADING": "it is loading its data",
    "MISCONF": "it cannot write its data to disk: free space there, and see its log",
    "NOREPLICAS": "too few of its replicas are connected",
    "MASTERDOWN": "it is a replica that has lost its primary",
    "CLUSTERDOWN": "its cluster is down",
    "BUSY": "another client's script keeps it busy",
    "UNBLOCKED": "it has become a replica",
    "NOAUTH": "it asks for a user name or password: see TRIGGERS_REDIS_URL and TRIGGERS_REDIS_PASSWORD",
    "WRONGPASS": "it refuses the user name or password: see TRIGGERS_REDIS_URL and TRIGGERS_REDIS_PASSWORD",
    "NOPERM": "its user lacks a right: docs/deployment.md lists those that are needed",
    "MAXCLIENTS": "it accepts no more connections: raise its maxclients",
    "CERTIFICATE": "its TLS certificate is not accepted: see ssl_ca_certs and ssl_check_hostname in TRIGGERS_REDIS_URL",
    "TLS": "TLS with it fails: see the scheme, ssl_certfile and ssl_keyfile in TRIGGERS_REDIS_URL",
    "DATABASE": "it has no database of this number: see the end of TRIGGERS_REDIS_URL; most have 0 to 15",
    "TIMEOUT": "it gave no answer in time",
    "CONNECTION": "it cannot be reached",
}

#: A code in the text: at its beginning, or where a script of Redis 6 has met it ("@user_script:5: -READONLY You ...").
_CODE: Final = re.compile(r"(?:^|[\s:'-])(READONLY|OOM|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|BUSY|UNBLOCKED|NOPERM) ")

#: The answers to a client without a password: to a command, and to the greeting of newer clients.
_NO_LOGIN: Final = re.compile(r"required|already authenticated", re.IGNORECASE)

#: The codes of a Redis that is not, or not any more, the one to write to: another connection may lead to the new one.
_MOVED: Final = frozenset({"READONLY", "MASTERDOWN", "UNBLOCKED"})

#: The codes that stay until a person has changed something.
_FOR_PEOPLE: Final = frozenset({"NOAUTH", "WRONGPASS", "NOPERM", "CERTIFICATE", "TLS", "DATABASE"})

#: The answers to SELECT.
_NO_DATABASE: Final = re.compile(r"DB index|invalid DB|SELECT is not allowed", re.IGNORECASE)

#: What an older Redis puts before the code of an error in a script, and a newer one behind its text.
_OF_SCRIPTS: Final = re.compile(r"^.*?-(?=[A-Z]{3,} )|^(?:ERR|NOPERM) | script: .*$", re.DOTALL)


def code_of(error: BaseException) -> str:
    """The code of a Redis that cannot be used now, "" for any other error."""
    if isinstance(error, redis.exceptions.AuthenticationWrongNumberOfArgsError):
        return "WRONGPASS"  # a Redis before 6, or a user where there are none
    if isinstance(error, redis.exceptions.AuthenticationError):
        return "NOAUTH" if _NO_LOGIN.search(str(error)) else "WRONGPASS"
    if tls := _tls_failure(error):
        return "CERTIFICATE" if isinstance(tls, ssl.SSLCertVerificationError) else "TLS"
    for kind, code in _BY_CLASS:
        if isinstance(error, kind):
            return code
    if isinstance(error, redis.ResponseError) and (found := _CODE.search(str(error))):
        return found[1]
    if isinstance(error, redis.ResponseError) and _NO_DATABASE.search(str(error)):
        return "DATABASE"
    return ""


def _tls_failure(error: BaseException) -> ssl.SSLError | None:
    """What TLS says in a failed connection; None if it says nothing, or that the other side has gone."""
    cause: BaseException | None = error if isinstance(error, redis.exceptions.ConnectionError) else None
    while cause is not None:
        if isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
            return None
        if isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def in_words(error: BaseException) -> str:
    """Why Redis cannot be used and what to do, in one line; "" if the error has another reason."""
    code, detail = code_of(error), ""
    if code == "NOPERM":  # Redis names the user and the command or key there, never a password
        detail = f": {_OF_SCRIPTS.sub('', str(error))[:120].rstrip('. ')}"
    elif tls := _tls_failure(error):
        detail = f": {getattr(tls, 'verify_message', '') or tls.reason or tls}"
    return f"{_IN_WORDS[code]} ({code}{detail})" if code else ""


def said(error: BaseException) -> str:
    """An error of Redis in one line: why it cannot be used, or what it says itself."""
    code = code_of(error)
    if code in ("", "CONNECTION", "TIMEOUT"):
        return f"Redis did not answer: {error}" if code else f"Redis refused a command: {error}"
    return f"Redis cannot be used: {in_words(error)}"


def needs_person(error: BaseException) -> bool:
    """Whether waiting alone cannot end it: a wrong password, a right that lacks."""
    return code_of(error) in _FOR_PEOPLE


def has_moved(error: BaseException) -> bool:
    """Whether writes have to go to another Redis now, behind the same address: after a failover."""
    return code_of(error) in _MOVED


def look_for_primary(client: redis.Redis, error: BaseException) -> None:
    """Close the idle connections of a client that a replica has refused: its next ones lead to the new primary.

    Connections in use come back to the pool, and are closed when they are refused in turn.
    """
    if has_moved(error):
        client.connection_pool.disconnect(inuse_connections=False)
