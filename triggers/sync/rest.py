"""Rest: which of the calls that keep the lease on the service task are due. Pure.

Polls see every change of the service tasks anyway. While they see none, nobody can have come, gone, or edited, so that
looking again would tell nothing; and the lease says how soon its holder answers to a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from triggers.ledger.polling.service_watch import SeenServiceTask

#: The least pause between two looks at service tasks that polls do not see, seconds; and one a poll at most.
GLANCE_SECONDS: Final = 5.0
#: At rest, the clocks are compared once in so many polls: by a ping, and a look at what it stamped.
POLLS: Final = 80
#: The longest pause between two comparisons, in pauses between two renewals. What clocks that began to differ have
#: hidden meanwhile is found by the sweep after that, which reads back to the comparison before (`sources.windows`).
LONGEST: Final = 75
#: Beside one and a half polls, an answer to a change takes a pause between renewals, one between turns, and the calls.
_ANSWER_MS: Final = 40_000
#: The longest answer that a lease may claim, ms.
LONGEST_ANSWER_MS: Final = 900_000


@dataclass(frozen=True, slots=True)
class LastCalls:
    """When each was done last, by the ledger's clock, ms.

    Attributes:
        looked_ms: the service tasks were read.
        checked_ms: the state was compared with what is saved on them.
        pinged_ms: the clocks were compared.
        noted_ms: the latest change of a service task that is known to the last look, by the ClearML server's clock.
        is_open: another Redis' lease, or a difference of clocks, has to be looked at again.
    """

    looked_ms: int = 0
    checked_ms: int = 0
    pinged_ms: int = 0
    noted_ms: int = 0
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class CallsDue:
    """`ping`: compare the clocks, and look. `look`: read the service tasks. `may_write`: see whether to write."""

    ping: bool
    look: bool
    may_write: bool


def due(seen: SeenServiceTask, last: LastCalls, keep_seconds: float) -> CallsDue:
    """Decide. `keep_seconds`: the pause between two looks while something happens."""
    waited_ms = seen.now_ms - last.looked_ms
    ready = waited_ms >= keep_seconds * 1000
    ping = seen.now_ms - last.pinged_ms >= rest_ms(seen.pause_ms, keep_seconds) or (ready and last.is_open)
    may_write = ready and seen.now_ms - last.checked_ms >= keep_seconds * 1000
    happened = last.is_open or seen.changed_ms > last.noted_ms
    look = ping or _is_unseen(seen, last, keep_seconds) or (ready and happened)
    return CallsDue(ping=ping, look=look, may_write=may_write)


def _is_unseen(seen: SeenServiceTask, last: LastCalls, keep_seconds: float) -> bool:
    """Whether to look since polls do not: they list no ClearML tasks, or only some of those of a busy server."""
    if seen.is_covered or seen.polled_ms <= last.looked_ms:
        return False
    pause = keep_seconds if seen.missed_ms > seen.covered_ms else GLANCE_SECONDS
    return seen.now_ms - last.looked_ms >= pause * 1000


def rest_ms(pace_ms: int, keep_seconds: float) -> int:
    """The pause between two comparisons of clocks, and between two saves of cursors that alone have moved."""
    return int(max(keep_seconds * 1000, min(POLLS * pace_ms, keep_seconds * 1000 * LONGEST)))


def answers_ms(slowest_pace_seconds: float, pace_ms: int) -> int:
    """How soon the holder of a lease answers to a change of a service task; paces that stretch go by powers of two.

    Args:
        slowest_pace_seconds: between two polls, by the script.
        pace_ms: as it is.
    """
    slowest = max(1.0, slowest_pace_seconds * 1000)
    while slowest < pace_ms:
        slowest *= 2
    return min(LONGEST_ANSWER_MS, int(slowest * 1.5) + _ANSWER_MS)
