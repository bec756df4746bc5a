"""The token of a log-in: bought with the key pair, kept, renewed before it ends."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Any

#: seconds before its end at which a token is renewed (a tenth of its life if that is shorter)
_RENEW_SECONDS = 300.0
#: life of a token that does not say when it ends
_DEFAULT_LIFE_SECONDS = 3600.0


class Login:
    """One token for all threads; `buy` makes one call of `auth.login` and returns the token."""

    def __init__(self, buy: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._buy, self._clock = buy, clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """A token that is good for a while; threads that ask together share one log-in."""
        if self._token and self._clock() < self._renew_at:
            return self._token
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._renew()
            return self._token

    def replace(self, refused: str) -> str:
        """A token for a call whose token was refused; another thread may have bought it already."""
        with self._lock:
            if self._token == refused:
                self._renew()
            return self._token

    def _renew(self) -> None:
        asked_at = self._clock()
        self._token = self._buy()
        life = life_seconds(self._token)
        self._renew_at = asked_at + life - min(_RENEW_SECONDS, life / 10)


def life_seconds(token: str) -> float:
    """How long a token lives by its own times: those of the server, so our clock does not matter."""
    claims = _claims(token)
    issued, ends = claims.get("iat"), claims.get("exp")
    if isinstance(issued, (int, float)) and isinstance(ends, (int, float)) and ends > issued:
        return float(ends - issued)
    return _DEFAULT_LIFE_SECONDS


def _claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, not verified: only the server can; {} for another kind of token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
