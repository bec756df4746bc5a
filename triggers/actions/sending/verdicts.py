"""What a receiver's answer means for a sending. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from triggers.base.errors import LaunchImpossible, Transient
from triggers.clearml_api.answers import asked_pause

#: Answers that may be another one later, beside all 5xx.
_PASSING: Final = frozenset({408, 425, 429})
#: The longest pause that a receiver may ask for, seconds.
LONGEST_PAUSE_SECONDS: Final = 3600.0


class Unsent(Transient):
    """The receiver did not take it and may later; `after_seconds`: the pause that it asks for, 0 for none."""

    def __init__(self, text: str, after_seconds: float = 0.0) -> None:
        super().__init__(text)
        self.after_seconds = after_seconds


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """What of an answer counts: its status, and the pause that it asks for (`Retry-After`, `Date`)."""

    status: int
    retry_after: str = ""
    date: str = ""


def judge(receiver: str, answer: ReceiverAnswer, now: float) -> None:
    """Pass a 2xx.

    Args:
        receiver: as errors name it.
        answer: of the receiver.
        now: seconds since the epoch, for a `Retry-After` that is a time, where the answer has no `Date`.

    Raises:
        Unsent: 408, 425, 429 or 5xx.
        LaunchImpossible: every other answer. A redirect is one of them: it could lead into the workers' network.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    said = f"{receiver} answered {status}{_phrase(status)}"
    if status in _PASSING or status >= 500:
        pause = asked_pause(answer.retry_after, answer.date, LONGEST_PAUSE_SECONDS, now)
        raise Unsent(f"{said}, and asks for a pause of {pause:.0f} s" if pause else said, pause)
    if 300 <= status < 400:
        raise LaunchImpossible(f"{said}: redirects are not followed; give the address that it leads to")
    raise LaunchImpossible(said)


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
