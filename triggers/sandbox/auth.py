"""Who calls: key pairs by HTTP basic auth, tokens (JWT, HS256) by bearer auth or by the cookie that a log-in sets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from . import errors
from .calls import new_id
from .releases import NEWEST, RELEASES, Release

#: a token lives so many seconds unless asked otherwise
TOKEN_SECONDS = 30 * 24 * 3600
COOKIE = "clearml_token_basic"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Tokens:
    """Makes tokens and reads them; those of an earlier server with the same secret stay good."""

    def __init__(self, secret: str, release: Release = RELEASES[NEWEST]) -> None:
        self._key = hashlib.sha256(b"sandbox" + secret.encode()).digest()
        self.company, self.user = self._made("company"), self._made("user")
        identity = {"user_name": "sandbox", "company_name": "clearml", "role": "user"}
        identity |= {"company": self.company, "user": self.user}
        about = {"server_version": release.number, "server_build": "", "feature_set": "basic"}
        self._claims: dict[str, Any] = {"env": "<unknown>", "auth_type": "Bearer", "identity": identity}
        self._claims |= {"api_version": release.api_version, **about}
        self._known: dict[str, float] = {}

    def issue(self, now: float, seconds: int | None = None) -> str:
        """A new token."""
        expires = int(now) + (seconds or TOKEN_SECONDS)
        claims = {"iat": int(now), "exp": expires, "session_id": new_id(), **self._claims}
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        token = f"{signed}.{self._signature(signed)}"
        self._known[token] = expires
        return token

    def check(self, token: str, now: float) -> None:
        """Refuse what is not a token of this server, or has expired.

        Raises:
            ApiError: 401/30.
        """
        expires = self._known.get(token)
        if expires is None:
            expires = self._known[token] = self._read(token)
        if now >= expires:
            raise errors.bad_token("Signature has expired")

    def _made(self, what: str) -> str:
        """An id that is the same for every server with this secret."""
        return hmac.new(self._key, what.encode(), hashlib.sha256).hexdigest()[:32]

    def expire_all(self) -> None:
        """Every token issued so far has expired."""
        self._known = dict.fromkeys(self._known, 0.0)

    def _read(self, token: str) -> float:
        signed, _, signature = token.rpartition(".")
        if signed.count(".") != 1:
            raise errors.bad_token("Not enough segments")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            raise errors.bad_token("Signature verification failed")
        try:
            return float(_decoded(signed.partition(".")[2])["exp"])
        except (ValueError, KeyError, TypeError) as error:
            raise errors.bad_token("Invalid payload string") from error

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())


class Gatekeeper:
    """Lets calls in."""

    def __init__(self, access_key: str, secret_key: str, tokens: Tokens) -> None:
        self.tokens = tokens
        self._pair = f"{access_key}:{secret_key}".encode()

    def check(self, headers: Mapping[bytes, bytes], now: float) -> None:
        """Refuse a call without good credentials.

        Raises:
            ApiError: 401 with the reason.
        """
        header = headers.get(b"authorization", b"").decode("latin-1")
        if not header:
            token = _cookie(headers)
            if not token:
                raise errors.unauthorized(20, "missing credentials")
            return self.tokens.check(token, now)
        how, _, value = header.partition(" ")
        if how == "Bearer":
            return self.tokens.check(value.strip(), now)
        if how == "Basic":
            return self._check_pair(value.strip())
        raise errors.unauthorized(10, "bad authentication header type")

    def _check_pair(self, value: str) -> None:
        try:
            pair = base64.b64decode(value)
        except binascii.Error as error:
            raise errors.unauthorized(21, f"malformed credentials) ({error}") from error
        if b":" not in pair:
            raise errors.unauthorized(21, "malformed credentials")
        if not hmac.compare_digest(pair, self._pair):
            raise errors.unauthorized(22, "invalid credentials) (failed to locate provided credentials")


def _cookie(headers: Mapping[bytes, bytes]) -> str:
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""
