"""The key that signs sessions, so that open pages outlive a restart of the console.

It comes from the key that signs what lies in Redis, which every console of a cluster has; without one it is kept in the
state folder.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from triggers.base.errors import Usage
from triggers.base.settings import Settings
from triggers.local.private_files import make, state_folder

_NAME = "console.key"
_BYTES = 32
_PURPOSE = b"clearml-triggers console sessions 1"


def session_key(of: Settings) -> bytes:
    """From the key of the settings, else one made at the first start; one of this process where nothing can be kept."""
    if of.signing_key:
        return hmac.digest(of.signing_key[0].encode(), _PURPOSE, "sha256")
    try:
        folder = state_folder(of.state_folder)
        make(folder)
        return _kept(folder / _NAME)
    except (Usage, OSError):
        return secrets.token_bytes(_BYTES)


def _kept(file: Path) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        with os.fdopen(os.open(file, flags), "rb") as opened:
            known = opened.read(_BYTES + 1)
            status = os.fstat(opened.fileno())
        if len(known) == _BYTES and status.st_uid == os.getuid() and not status.st_mode & 0o077:
            return known
        return secrets.token_bytes(_BYTES)
    key = secrets.token_bytes(_BYTES)
    with os.fdopen(made, "wb") as opened:
        opened.write(key)
    return key
