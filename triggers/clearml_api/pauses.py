"""Which answers ask for a pause of all calls, and for how long. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

#: Answers by which a server refuses a call because there were too many; it had no effect.
TOO_MANY: Final = 429
PAYMENT_REQUIRED: Final = 402
#: The server is away for a while; `Retry-After` says for how long.
AWAY: Final = 503

#: How the hosted server refuses what exceeds a quota: `400/68: The usage quota was exceeded: type=...`.
QUOTA_SUBCODE: Final = 68
_QUOTA: Final = re.compile(
    r"quota\b.*\bexceeded|exceeded\b.*\bquota|too many (api )?(requests|calls)|rate limit"
    r"|\b(calls?|requests?|usage) limit\b.*\b(exceeded|reached)|exceeded\b.*\b(calls?|requests?|usage) limit",
    re.I,
)
#: Quotas of what is stored, which refuse that call alone; pausing the others would help nothing.
_OF_STORAGE: Final = re.compile(r"storage|artifacts?\b|metrics", re.I)
#: Where the server's own words end and values begin, such as names that people chose.
_VALUES: Final = re.compile(r"[:(=]")
_TYPE: Final = re.compile(r":\s*type=(\w+)")

#: The first pause after "too many requests" without `Retry-After`, and the longest, seconds: it doubles each time.
FIRST_SECONDS: Final = 2.0
LONGEST_SECONDS: Final = 60.0
#: The same after a quota was exceeded: it is renewed by the day or the month.
FIRST_OF_QUOTA_SECONDS: Final = 60.0
LONGEST_OF_QUOTA_SECONDS: Final = 900.0

#: So long after the end of a pause without another, the next one is the first again, seconds.
REMEMBERED_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of all calls.

    Attributes:
        seconds: how long.
        times: how many answers in a row asked for one.
        why: by the server.
        endpoint: whose call was refused (`family`); "" where any answer shows that the server accepts calls again.
    """

    seconds: float
    times: int
    why: str
    endpoint: str = ""


def family(endpoint: str) -> str:
    """Name an endpoint as limits know it: the calls for one and for many are alike."""
    return endpoint.removesuffix("_many").removesuffix("_ex")


def is_of_quota(status: int, subcode: int, message: str) -> bool:
    """Tell whether a refusal says that a quota of calls is used up: by the server's words, never by people's names."""
    if status == PAYMENT_REQUIRED:
        return True
    if status not in (400, 403):
        return False
    words, type_ = _VALUES.split(message, maxsplit=1)[0], _TYPE.search(message)
    told = subcode == QUOTA_SUBCODE or bool(_QUOTA.search(words))
    return told and not _OF_STORAGE.search(type_[1] if type_ else words)


def pause_after(status: int, meta: Any, retry_after: float, times: int) -> Pause | None:
    """Decide on a pause after an answer; None where none is asked for.

    A server that refuses again after the pause it asked for gets a longer one.

    Args:
        status: of HTTP.
        meta: of the answer, as far as it has one.
        retry_after: what its `Retry-After` asks for, seconds; 0 for nothing.
        times: how many answers before this one, in a row, asked for one.
    """
    meta = meta if isinstance(meta, dict) else {}
    message, subcode, code = str(meta.get("result_msg") or ""), meta.get("result_subcode"), meta.get("result_code")
    if status == 200 and isinstance(code, int) and code < 500:  # behind some gateways the answer alone says what it is
        status = code
    why = f"{status}/{subcode}: {message[:160]}" if message else f"HTTP {status}"
    if status == TOO_MANY:
        first, longest = FIRST_SECONDS, LONGEST_SECONDS
    elif is_of_quota(status, subcode if isinstance(subcode, int) else 0, message):
        first, longest = FIRST_OF_QUOTA_SECONDS, LONGEST_OF_QUOTA_SECONDS
    else:
        return Pause(retry_after, times, why) if status == AWAY and retry_after else None
    own = min(first * 2.0 ** min(times, 30), longest)
    return Pause(max(retry_after, own) if times or not retry_after else retry_after, times + 1, why)
