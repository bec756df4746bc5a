"""What the fields of a webhook may hold: an address, a reference to a secret, headers, JSON. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from triggers.actions.sending.secrets import HIDDEN, WAY_OUT, is_reference, problem_of_reference, sounds_secret
from triggers.base.escaping import one_line
from triggers.model.values import plain, wrong

#: What `body` takes; a text is read as JSON.
JsonBody = Mapping[str, Any] | Sequence[Any] | str

_LONGEST_URL: Final = 4000
_MOST_HEADERS: Final = 50
#: The largest body, bytes.
_LARGEST_BODY: Final = 262_144
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
#: Control characters, and lone surrogates, which cannot be sent.
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: Headers that the connection or the signature decides on.
_OURS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect", "keep-alive"}
)
_AFTER_HOST: Final = re.compile(r"[/?#]")
_REFERENCE_IN_HOST: Final = (
    "references are allowed in the path and the query, not in the host: objects must not choose the receiver; give an "
    "address with its host, or env:NAME for a secret that is the whole address"
)
#: Services whose addresses are secrets as a whole.
_SECRET_PLACES: Final = re.compile(
    r"(?:hooks\.slack(?:-gov)?\.com/|(?:[\w-]+\.)*discord(?:app)?\.com/api/webhooks/|(?:[\w-]+\.)*webhook\.office\.com/"
    r"|(?:[\w-]+\.)*logic\.azure\.com|hooks\.zapier\.com/|maker\.ifttt\.com/)",
    re.IGNORECASE,
)


def problem_of_url(url: str) -> str:
    """Why nothing can, or may, be posted to an address; "" if it can."""
    parts, problem = None, "give an address such as https://hooks.example.com/path"
    if "$" in _AFTER_HOST.split(url.partition("://")[2], maxsplit=1)[0]:
        return _REFERENCE_IN_HOST
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return problem
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return problem
    if len(url) > _LONGEST_URL:
        return f"an address has at most {_LONGEST_URL:,} characters, and this one has {len(url):,}"
    if _BLANK.search(url):
        return "an address cannot contain blanks, line breaks or control characters"
    if "\\" in parts.netloc or "%" in host:
        return "a host is made of letters, digits, - and dots, or is an address"
    return ""


def url_of(value: Any) -> str:
    """An address, or a reference to a secret that is one."""
    if not isinstance(value, str):
        raise wrong("give an address, or a reference to a secret such as env:HOOK_URL", "url", HIDDEN)
    if value.startswith(("env:", "file:")):
        problem = problem_of_reference(value)
    else:
        problem = problem_of_url(value) or _problem_of_secrets_in(value)
    if problem:
        raise wrong(problem, "url", HIDDEN)
    return value


def _problem_of_secrets_in(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        return f"an address with a user name or password is a secret; {WAY_OUT}"
    if _SECRET_PLACES.match(f"{parts.hostname}{parts.path}"):
        return f"the whole address is a secret there; {WAY_OUT}"
    for name, value in parse_qsl(parts.query):
        if sounds_secret(name) and "${env:" not in value and "${file:" not in value:
            return f"{name} in the query looks like a secret; {WAY_OUT}, as {name}=${{env:NAME}}"
    return ""


def secret_of(value: Any) -> str | None:
    """A reference to the key that signs; None if nothing is signed."""
    if value is None:
        return None
    if not isinstance(value, str) or not is_reference(value):
        raise wrong(f"{WAY_OUT}. Its value is whsec_… or any other text", "secret", HIDDEN)
    if problem := problem_of_reference(value):
        raise wrong(problem, "secret", value)
    return value


def headers_of(value: Any) -> dict[str, str]:
    """Headers that nothing else sets, each once, without secrets in clear."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > _MOST_HEADERS:
        raise wrong(f"give a dictionary of at most {_MOST_HEADERS} headers", "headers", HIDDEN)
    found: dict[str, str] = {}
    for name, text in value.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise wrong("names of headers consist of letters, digits and -", "headers", one_line(str(name)[:100]))
        if name.lower() in _OURS or name.lower().startswith("webhook-"):
            raise wrong(f"{name} is set automatically; leave it out", "headers", name)
        if name.lower() in {each.lower() for each in found}:
            raise wrong(f"{name} is given twice", "headers", name)
        if not isinstance(text, str) or CONTROL.search(text):
            raise wrong(f"{name}: give a text without line breaks and control characters", "headers", HIDDEN)
        if text.startswith(("env:", "file:")) and (problem := problem_of_reference(text)):
            raise wrong(f"{name}: {problem}", "headers", HIDDEN)
        if sounds_secret(name) and not is_reference(text) and "${env:" not in text and "${file:" not in text:
            raise wrong(f"{name} holds a secret; {WAY_OUT}, as in 'Bearer ${{env:NAME}}'", "headers", HIDDEN)
        found[name] = text
    return found


def body_of(value: Any) -> Any:
    """JSON: a dictionary or a list, or a text of it."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise wrong("give a dictionary or a list, or a text that is JSON", "body", HIDDEN) from None
    if not isinstance(value, (dict, list, tuple)):
        raise wrong("give a dictionary or a list", "body", HIDDEN)
    try:
        found = plain(value)
        size = len(json.dumps(found, allow_nan=False))
    except (TypeError, ValueError):
        raise wrong("give values that JSON supports: texts, numbers, lists and dictionaries", "body", HIDDEN) from None
    if size > _LARGEST_BODY:
        raise wrong(f"at most {_LARGEST_BODY:,} bytes", "body", HIDDEN)
    return found
