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
_QUOTA: Final = re.compile(r"quota\b.*\bexceeded|exceeded\b.*\bquota|too many requests|rate limit", re.I)
#: Quotas of what is stored, which refuse that call alone; pausing the others would help nothing.
_OF_STORAGE: Final = re.compile(r"storage|artifacts?\b|metrics", re.I)

#: The first pause after "too many requests" without `Retry-After`, and the longest, seconds: it doubles each time.
FIRST_SECONDS: Final = 2.0
LONGEST_SECONDS: Final = 60.0
#: The same after a quota was exceeded: it is renewed by the day or the month.
FIRST_OF_QUOTA_SECONDS: Final = 60.0
LONGEST_OF_QUOTA_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of all calls. `times`: how many answers in a row asked for one. `why`: by the server."""

    seconds: float
    times: int
    why: str


def is_of_quota(status: int, subcode: int, message: str) -> bool:
    """Tell whether a refusal says that a quota of calls is used up."""
    if status == PAYMENT_REQUIRED:
        return True
    if status not in (400, 403):
        return False
    told = subcode == QUOTA_SUBCODE or bool(_QUOTA.search(message))
    return told and not _OF_STORAGE.search(message)


def pause_after(status: int, meta: Any, retry_after: float, times: int) -> Pause | None:
    """Decide on a pause after an answer; None where none is asked for.

    Args:
        status: of HTTP.
        meta: of the answer, as far as it has one.
        retry_after: what its `Retry-After` asks for, seconds; 0 for nothing.
        times: how many answers before this one, in a row, asked for one.
    """
    meta = meta if isinstance(meta, dict) else {}
    message, subcode = str(meta.get("result_msg") or ""), meta.get("result_subcode")
    why = f"{status}/{subcode}: {message[:160]}" if message else f"HTTP {status}"
    if status == TOO_MANY:
        return Pause(retry_after or min(FIRST_SECONDS * 2.0**times, LONGEST_SECONDS), times + 1, why)
    if is_of_quota(status, subcode if isinstance(subcode, int) else 0, message):
        own = min(FIRST_OF_QUOTA_SECONDS * 2.0**times, LONGEST_OF_QUOTA_SECONDS)
        return Pause(retry_after or own, times + 1, why)
    return Pause(retry_after, times, why) if status == AWAY and retry_after else None
