"""What came back from the server: data, a refusal, or what leaves the outcome unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from triggers.base.errors import Refused, ServerUnavailable
from triggers.clearml_api.reply import Reply

_T = TypeVar("_T")

#: refusals that say nothing about the call: too early, too many requests, timeout
_UNDECIDED = frozenset({408, 425, 429})
#: the longest pause that a server (or a proxy before it) may ask for: one that has counted our calls knows when it
#: takes more; one that is away does not, seconds
_LONGEST_PAUSE = 3600.0
_LONGEST_WHILE_AWAY = 60.0
_EXCERPT = 160
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def parse(endpoint: str, where: str, reply: Reply) -> dict[str, Any]:
    """Give the `data` of an answer.

    Raises:
        Refused: The server itself refused.
        ServerUnavailable: Anything else, HTML of a proxy included: the call may have taken effect.
    """
    status = reply.status
    body = _json(reply)
    meta = body.get("meta") if isinstance(body, dict) else None
    code = meta.get("result_code") if isinstance(meta, dict) else None
    if not isinstance(code, int) or not isinstance(meta, dict):
        redirect = f" (redirect to {reply.headers.get('Location')})" if "Location" in reply.headers else ""
        raise ServerUnavailable(f"{where}: HTTP {status}{redirect} without a ClearML answer: {_excerpt(reply)}")
    message = str(meta.get("result_msg", ""))
    subcode = meta.get("result_subcode")
    subcode = subcode if isinstance(subcode, int) else 0
    if status >= 500 or status in _UNDECIDED:
        raise ServerUnavailable(f"{where}: {code}/{subcode} {message[:_EXCERPT]}")
    if 300 <= status < 500 and code == status:
        raise Refused(endpoint, code, subcode, message)
    data = body.get("data")
    if status != 200 or code != 200 or not isinstance(data, dict):
        raise ServerUnavailable(f"{where}: HTTP {status} with a malformed ClearML answer: {_excerpt(reply)}")
    return data


def field(endpoint: str, data: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    """Take a field that the answer must have.

    Raises:
        ServerUnavailable: It is missing or of another type: what the answer says is unknown.
    """
    value = data.get(name)
    if not isinstance(value, kind):
        raise ServerUnavailable(f"{endpoint}: its answer has {name}={value!r:.60} instead of a {kind.__name__}")
    return value


def optional(endpoint: str, data: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    """Take a field that the answer may leave out; an empty one then.

    Raises:
        ServerUnavailable: It is of another type.
    """
    return kind() if data.get(name) is None else field(endpoint, data, name, kind)


def texts(endpoint: str, data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Take a list of texts, such as tags, that the answer may leave out.

    Raises:
        ServerUnavailable: It holds something else.
    """
    found: list[Any] = optional(endpoint, data, name, list)
    if not all(isinstance(one, str) for one in found):
        raise ServerUnavailable(f"{endpoint}: its answer has {name}={found!r:.60} where texts belong")
    return tuple(found)


def objects(endpoint: str, data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Take a list of JSON objects that the answer must have.

    Raises:
        ServerUnavailable: It is missing or holds something else.
    """
    found: list[Any] = field(endpoint, data, name, list)
    for one in found:
        if not isinstance(one, dict):
            raise ServerUnavailable(f"{endpoint}: its answer has {one!r:.60} among its {name}")
    return found


def server_ms(where: str, reply: Reply) -> int:
    """A time that the server's clock had passed when the call arrived, ms since the epoch.

    The `Date` of the answer has whole seconds and may come from a cache that is renewed every second.

    Raises:
        ServerUnavailable: No usable `Date`, without which changes cannot be read completely.
    """
    try:
        date = _in_utc(parsedate_to_datetime(reply.headers["Date"]))
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise ServerUnavailable(f"{where}: the answer has no Date header (does a proxy drop it?)") from error
    return int(date.timestamp() * 1000) - int(reply.seconds * 1000) - 1000


def pause_seconds(reply: Reply) -> float:
    """The pause that an answer asks for by `Retry-After`, in seconds or as a time; 0 for none.

    Whether it counts is a matter of the answer (`pauses`).
    """
    longest = _LONGEST_WHILE_AWAY if reply.status >= 500 else _LONGEST_PAUSE
    return asked_pause(reply.headers.get("Retry-After") or "", reply.headers.get("Date"), longest)


def meta_of(reply: Reply) -> Any:
    """The head of an answer, as far as it has one."""
    body = _json(reply)
    return body.get("meta") if isinstance(body, dict) else None


def asked_pause(text: str, date: str | None, longest: float, now: float | None = None) -> float:
    """Read a `Retry-After`, in seconds or as a time; 0 for none, and `longest` at most.

    Args:
        text: the header's value.
        date: of the same answer: where both are times of the server, our clock does not matter.
        longest: seconds.
        now: our clock, for an answer without `Date`; without it, a time says nothing then.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), longest)
    until, sent = _time(text), _time(date)
    sent_at = sent.timestamp() if sent else now
    if until is None or sent_at is None:
        return 0.0
    return min(max(0.0, until.timestamp() - sent_at), longest)


def _time(text: str | None) -> datetime | None:
    """A time of HTTP, which is in UTC also in the old form that names no zone."""
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _in_utc(found)


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _json(reply: Reply) -> Any:
    try:
        return json.loads(reply.content)  # takes NaN and Infinity, which metrics have
    except (ValueError, RecursionError):
        return None


def _excerpt(reply: Reply) -> str:
    """The start of a body; nothing of one that may hold a token."""
    text = " ".join(reply.content[: 4 * _EXCERPT].decode("utf-8", "replace").split())
    return "(an answer with a token)" if '"token"' in text else repr(text[:_EXCERPT])
