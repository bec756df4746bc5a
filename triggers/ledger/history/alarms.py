"""Every alarm, declared once: what is wrong, and what ends it. Notices, metrics and `doctor` show alarms by name.

An alarm lies in the ledger (`history.raise_alarm`) from the moment a stage raises it until one clears it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm, or a family of them.

    Attributes:
        name: Its name; of a family, what the names begin with, up to a colon.
        what: What is wrong.
        ends: When it is cleared.
    """

    name: str
    what: str
    ends: str


PACE: Final = Alarm(
    "pace:",
    "a trigger fires more often than its `max_per_minute` allows; the rest of the burst is held. The name ends with "
    "the trigger",
    "no firing of the trigger is held for its pace any longer",
)
UNREADABLE: Final = Alarm(
    "unreadable:",
    "a trigger, batch or firing cannot be read: a later release wrote it, it is damaged, or it is not signed. "
    "The name ends with what it is",
    "the data can be read, or is gone",
)
SERVICE_TASK: Final = Alarm(
    "service task",
    "the service task was deleted, or cannot be read or written",
    "the service task can be used again",
)
TWO_REDISES: Final = Alarm(
    "two Redises",
    "another Redis serves the same scheduler; this one has stopped serving it",
    "never by itself: stop the workers of one of the two",
)
HTTP_DATE: Final = Alarm(
    "HTTP Date",
    "the ClearML server's `Date` header and the clock that stamps changes differ; polls correct for it",
    "the two agree within 5 s",
)
SERVER_CLOCK: Final = Alarm(
    "server clock",
    "the clock that stamps changes on the ClearML server was set back",
    "that clock has reached its earlier time again",
)
REDIS_CLOCK: Final = Alarm(
    "Redis clock",
    "the clock of Redis' host was set back, so displayed times are ahead of it",
    "displayed times are less than a minute ahead",
)

EVICTION: Final = Alarm(
    "Redis eviction",
    "`maxmemory-policy` of Redis was set to one that evicts keys, while workers run: a full Redis would forget "
    "firings, leases and what was launched",
    "the policy is `noeviction`, or Redis has no `maxmemory`",
)

FAILURES: Final = Alarm(
    "failures:",
    "a trigger failed `pause_on_failures` times in a row and is paused. The name ends with the trigger",
    "the trigger is resumed or gone",
)

MEMORY: Final = Alarm(
    "memory:",
    "stored data takes more memory than its budget, and none of it may be deleted yet. The name ends with the data: "
    "firings, launches or objects",
    "the data is within its budget",
)

ALARMS: Final = (
    PACE,
    FAILURES,
    UNREADABLE,
    SERVICE_TASK,
    TWO_REDISES,
    HTTP_DATE,
    SERVER_CLOCK,
    REDIS_CLOCK,
    EVICTION,
    MEMORY,
)
