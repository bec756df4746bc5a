"""Passwords of the console's accounts, as scrypt hashes that a setting can hold. Pure but for the salt."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

#: Cost, block size and parallelism: 16 MiB and some 50 ms for each look.
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
_SALT_BYTES: Final = 16
#: The largest cost that a hash may ask for, so that a setting cannot make each log-in take minutes.
_MOST_COST: Final = 2**18
_PREFIX: Final = "scrypt"


def hashed(password: str) -> str:
    """Hash a password: `scrypt:COST:BLOCK:PARALLEL:SALT:HASH`, without commas, blanks or dollar signs."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL)
    return ":".join((_PREFIX, str(_COST), str(_BLOCK), str(_PARALLEL), _encoded(salt), _encoded(digest)))


def check(password: str, hash_: str) -> bool:
    """Tell whether a password is the one that was hashed, in a time that does not depend on where they differ."""
    cost, block, parallel, salt, digest = parsed(hash_)
    return hmac.compare_digest(_scrypt(password, salt, cost, block, parallel), digest)


def parsed(hash_: str) -> tuple[int, int, int, bytes, bytes]:
    """Take a hash apart: cost, block size, parallelism, salt, digest.

    Raises:
        ValueError: `hashed` does not make such hashes; the message does not hold it.
    """
    prefix, *rest = hash_.split(":")
    try:
        cost, block, parallel = (int(part) for part in rest[:3])
        salt, digest = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in rest[3:])
    except ValueError as error:
        raise ValueError("the password is not a hash that `clearml-triggers console --hash` makes") from error
    sound = 2 <= cost <= _MOST_COST and cost & (cost - 1) == 0 and 1 <= block <= 32 and 1 <= parallel <= 16
    if prefix != _PREFIX or not sound or len(salt) < 8 or len(digest) < 16:
        raise ValueError("the password is not a hash that `clearml-triggers console --hash` makes")
    return cost, block, parallel, salt, digest


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    memory = 128 * cost * block * (parallel + 2)
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=memory, dklen=32)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
