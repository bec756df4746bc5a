"""The password of Redis from a file, read anew at each connection: an exchanged one counts without a restart.

Redis lets connections that are open go on after its password was exchanged, and asks new ones for the new password.
"""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import unquote, urlsplit

import redis

from triggers.base.errors import Usage
from triggers.base.redis_address import RedisAddress, with_password
from triggers.base.settings import of_file, said_of

#: What makes Celery's transport log in with the class below: a parameter of the address.
FOR_CELERY: Final = "credential_provider=triggers.base.redis_login.FileLogin"


class FileLogin(redis.CredentialProvider):
    """User and password of the Redis address that this process' settings name."""

    def __init__(self) -> None:
        self._last = ""

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """What redis-py logs in with; the password of before while the file cannot be read."""
        try:
            user = unquote(urlsplit(said_of("redis_url", os.environ) or "").username or "")
            self._last = of_file("redis_password", os.environ) or self._last
        except Usage:
            user = ""
        return (user, self._last) if user else (self._last,)


def rereads(address: RedisAddress) -> bool:
    """Whether an address is the one of this process' settings, with a password that a file of the folder holds."""
    password = urlsplit(address.url).password
    try:
        raw = said_of("redis_url", os.environ)
        if not raw or not password or of_file("redis_password", os.environ) is None or _has_password(raw):
            return False
        return RedisAddress.parse(with_password(raw, unquote(password))).url == address.url
    except Usage:
        return False  # whoever reads the settings says what is wrong with them


def without_login(address: RedisAddress) -> str:
    """The address for redis-py, which takes either a login in it or one that a provider gives."""
    login, at, rest = address.url.rpartition("@")
    return f"{login.partition('://')[0]}://{rest}" if at else rest


def for_celery(address: RedisAddress) -> str:
    """The address for Celery, which passes on no provider but one that the address names."""
    if not rereads(address):
        return address.for_celery
    return f"{address.for_celery}{'&' if '?' in address.for_celery else '?'}{FOR_CELERY}"


def _has_password(raw: str) -> bool:
    return with_password(raw, "any") == raw
