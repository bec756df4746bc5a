"""Secrets that stand in clear where a reference belongs: known by their shape, or by the name they stand under. Pure.

What was stored before is not looked at: these rules are for new actions, and may become stricter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from triggers.actions.sending.secrets import WAY_OUT, is_reference, sounds_secret

_REFERENCE: Final = re.compile(r"\$\{[^{}]*\}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: Letters and digits in a row. Words that people think up are shorter, or have no digits within.
_RUN: Final = re.compile(r"(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{12,}", re.IGNORECASE)
#: A word that a person thinks up, as `alerts`, `mlTeam`, `QA`, `v2`, and what stands between such words.
_WORD: Final = re.compile(r"(?:[A-Z]{0,12}|[A-Z]?[^\W\d_A-Z]{1,20}(?:[A-Z][^\W\d_A-Z]{2,20})*)[0-9]{0,4}")
_BETWEEN: Final = re.compile(r"[\W_]+")
_PARTS: Final = re.compile(r"[/\s?&=;,]+")
_MOST_OUTSIDE_WORDS: Final = 10
_LOGIN: Final = re.compile(r"://[^/\s@]*:[^/\s@]*@")
#: Parameters of a path, as `/hook;token=...`.
_PARAMETER: Final = re.compile(r"[;/]([^=;/]+)=([^;/]+)")
#: Names in a body under which a clear text is a secret, whatever it looks like.
_SECRET_NAME: Final = re.compile(
    r"(?:token|secret|password|passwd|credentials?|authorization"
    r"|(?:api|access|routing|integration|service|private|signing)[-_ ]?key)$",
    re.IGNORECASE,
)


def looks_secret(text: str) -> bool:
    """Whether a text holds what is generated, or a login.

    12 letters and digits in a row, of both; a UUID; a part of it with so many characters in what are not words.
    """
    bare = _REFERENCE.sub(" ", unquote(text))
    if _UUID.search(bare) or _RUN.search(bare) or _LOGIN.search(bare):
        return True
    return any(_outside_words(part) >= _MOST_OUTSIDE_WORDS for part in _PARTS.split(bare))


def _outside_words(text: str) -> int:
    """How many characters stand in what is neither a word nor a number."""
    return sum(len(one) for one in _BETWEEN.split(text) if not one.isdecimal() and not _WORD.fullmatch(one))


def problem_of_address(url: str) -> str:
    """Why an address may not stand in clear; "" if it may. Its host is not a secret, and is what people are shown."""
    parts = urlsplit(url)
    named = any(sounds_secret(name) and "${" not in value for name, value in _PARAMETER.findall(parts.path))
    if named or looks_secret(parts.path):
        return f"a part of the path looks like a secret; {WAY_OUT}. Within a path it is ${{env:NAME}}"
    if looks_secret(parts.fragment):
        return f"the part after # looks like a secret; {WAY_OUT}"
    for name, value in parse_qsl(parts.query):
        if looks_secret(value):
            return f"{name} in the query looks like a secret; {WAY_OUT}, as {name}=${{env:NAME}}"
    return ""


def problem_of_channel(address: str) -> str:
    """Why an address of apprise may not stand in clear; "" if it may.

    apprise hides the secrets of the services that it knows. In an address of `json://` and its like every part can be
    one, except where it consists of words.
    """
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2].partition(":")[0]
    named = {"the user name": [parts.username or ""], "the path": parts.path.split("/")}
    named |= {"the part in place of a host": [] if "." in host or "[" in host else [host]}
    named |= {f"{name} in the query": [value] for name, value in parse_qsl(parts.query)}
    named |= {"the part after #": [parts.fragment]}
    for name, texts in named.items():
        if not all(map(_is_words, texts)) or any(map(_LOGIN.search, texts)):
            return f"{name} holds more than words, which looks like a secret; {WAY_OUT}"
    return ""


def _is_words(text: str) -> bool:
    return not text or all(map(_WORD.fullmatch, _BETWEEN.split(unquote(text))))


def problem_of_headers(headers: Mapping[str, str]) -> str:
    """Why headers may not stand in clear; "" if they may."""
    for name, text in headers.items():
        if not is_reference(text) and looks_secret(text):
            return f"{name} looks like a secret; {WAY_OUT}, or within a text as ${{env:NAME}}"
    return ""


def problem_of_body(body: Any) -> str:
    """Why a body may not stand in clear; "" if it may. A long text alone may: objects have such ids."""
    for name, text in _named(body):
        by_name = _SECRET_NAME.search(name) or (sounds_secret(name) and looks_secret(text))
        if by_name and text and "${" not in text:
            return f"{name} holds a secret; {WAY_OUT}. Within a body it is ${{env:NAME}}"
    return ""


def _named(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the name that it stands under, at any depth."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _named(item, str(key))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _named(item, name)
