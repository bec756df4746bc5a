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
_WORD: Final = re.compile(r"(?:[A-Z]{0,12}|[A-Z]?[^\W\d_A-Z]{1,20}(?:[A-Z][^\W\d_A-Z]{1,20})*)[0-9]{0,4}")
_BETWEEN: Final = re.compile(r"[\W_]+")
#: Names in a body under which a clear text is a secret, whatever it looks like.
_SECRET_NAME: Final = re.compile(
    r"(?:token|secret|password|passwd|credentials?|authorization"
    r"|(?:api|access|routing|integration|service|private|signing)[-_ ]?key)$",
    re.IGNORECASE,
)


def looks_secret(text: str) -> bool:
    """Whether a text holds what is generated: 12 letters and digits in a row, of both, or a UUID."""
    bare = _REFERENCE.sub(" ", unquote(text))
    return bool(_UUID.search(bare) or _RUN.search(bare))


def problem_of_address(url: str) -> str:
    """Why an address may not stand in clear; "" if it may. Its host is no secret, and is what people are shown."""
    parts = urlsplit(url)
    if looks_secret(parts.path):
        return f"a part of the path looks like a secret; {WAY_OUT}. Within a path it is ${{env:NAME}}"
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
    named = {"the user name": [parts.username or ""], "the path": parts.path.split("/")}
    named |= {f"{name} in the query": [value] for name, value in parse_qsl(parts.query)}
    named |= {"what stands behind #": [parts.fragment]}
    for name, texts in named.items():
        if not all(map(_is_words, texts)):
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
