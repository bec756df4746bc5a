"""Signatures of what lies in Redis and in messages, so that whoever may write there cannot make up what is carried out.

What is signed is one canonical form: the JSON array `[1, kind, scheduler, part, part, ...]` of texts, without spaces
and in ASCII. The signature is `signed:1:` and the HMAC-SHA256 of it in URL-safe base64, by the first of the keys that
`TRIGGERS_SIGNING_KEY` names. Each of the keys is accepted, so that they can be exchanged one after the other.

Without a key nothing is signed or verified, and what others have signed is read all the same.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Final

from triggers.base.errors import Unreadable
from triggers.base.settings import Settings

#: What every signature begins with: the version of the canonical form.
_BEGINS: Final = "signed:1:"

#: Keeps keys that are used for other things apart from those that sign.
_PURPOSE: Final = b"clearml-triggers signing 1"

#: What to do about something that is quarantined because of its signature.
WAY_OUT: Final = "`clearml-triggers unsigned list` shows it; adopt it there if it is yours, or drop it"


class Unsigned(Unreadable):
    """Something in Redis or a message is not signed, or not by a key that is known here."""


class Signer:
    """Signs for one scheduler ("" for what belongs to none), and verifies. Threads share it.

    Args:
        keys: the first signs, all are accepted; none: nothing is signed or verified.
        scheduler: its id, a part of what is signed: nothing passes from one scheduler to another.
    """

    def __init__(self, keys: Sequence[str] = (), scheduler: str = "") -> None:
        self._keys = [hmac.digest(key.encode(), _PURPOSE, "sha256") for key in keys]
        self._scheduler = scheduler

    @classmethod
    def of(cls, settings: Settings, scheduler: str = "") -> Signer:
        """The signer with the keys of these settings."""
        return cls(settings.signing_key, scheduler)

    @property
    def has_key(self) -> bool:
        """Whether it signs, and refuses what is not signed."""
        return bool(self._keys)

    def sign(self, kind: str, *parts: str) -> str:
        """The signature of these parts, "" without a key."""
        return self._by(self._keys[0], self._canonical(kind, parts)) if self._keys else ""

    def fault_of(self, signature: str, kind: str, *parts: str) -> str:
        """What is wrong with a signature; "" when nothing is, or there is no key to tell."""
        if not self._keys:
            return ""
        if not signature:
            return "it is not signed"
        text = self._canonical(kind, parts)
        if any(hmac.compare_digest(self._by(key, text), signature) for key in self._keys):
            return ""
        return "no key of TRIGGERS_SIGNING_KEY made its signature, or it was changed after signing"

    def seal(self, kind: str, name: str, text: str) -> str:
        """A text with its signature as its last line; without a key, the text."""
        return f"{text}\n{self.sign(kind, name, text)}" if self._keys else text

    def unseal(self, kind: str, name: str, sealed: str) -> str:
        """The text that was sealed under that name.

        Raises:
            Unsigned: it was not, or by a key that is not known here.
        """
        text, signature = parted(sealed)
        if fault := self.fault_of(signature, kind, name, text):
            raise Unsigned(f"the {kind} {name} is refused: {fault}; {WAY_OUT}")
        return text

    def _canonical(self, kind: str, parts: Sequence[str]) -> bytes:
        return json.dumps([1, kind, self._scheduler, *parts], separators=(",", ":")).encode("ascii")

    @staticmethod
    def _by(key: bytes, text: bytes) -> str:
        return _BEGINS + base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).decode("ascii").rstrip("=")


#: Signs and verifies nothing.
NO_KEY: Final = Signer()


def parted(sealed: str) -> tuple[str, str]:
    """A text and the signature in its last line, "" where there is none."""
    text, _, last = sealed.rpartition("\n")
    return (text, last) if last.startswith(_BEGINS) else (sealed, "")


def is_sealed(text: str) -> bool:
    """Whether a text ends with a signature, of whatever key."""
    return parted(text)[1] != ""
