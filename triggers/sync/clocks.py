"""The clock that stamps changes beside the HTTP `Date` of answers: compared by a write of our own.

A proxy in front of the server, or one of its replicas, writes `Date` by a clock of its own. `measure` and
`correction` are pure; `triggers.stages.poll` reads by what is noted here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from triggers.base.errors import Refused
from triggers.base.logs import logger
from triggers.clearml_api import service
from triggers.context import Context
from triggers.ledger.history import alarms
from triggers.ledger.leases import nonce
from triggers.sync.memory import Memory

log = logger(__name__)

#: The alarm that lasts as long as the two clocks differ.
DATE_ALARM: Final = alarms.HTTP_DATE.name
#: Clocks that differ by less are as good as one: windows of polls overlap by more, ms.
SAME_MS: Final = 5_000
#: A difference up to this has to be measured twice: a read that lags behind our write looks like one, ms.
DOUBTED_MS: Final = 60_000
#: The runtime property of the service task by which a read is seen to show a write of our own.
PROPERTY: Final = "triggers-clocks"
#: How long to wait for such a read, and the pause between two, seconds.
SHOWS_SECONDS: Final = 15.0
PAUSE_SECONDS: Final = 1.5
#: How much later than `Answer.server_ms`, beside the time that a call took, its answer may have been written: `Date`
#: has whole seconds, may come from a cache that is renewed every second, and is taken to do so, ms.
_COARSE_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Measured:
    """The stamping clock is ahead of `Date` by `least_ms` at least and `most_ms` at most."""

    least_ms: int
    most_ms: int

    @property
    def differs(self) -> bool:
        """Whether they surely differ by more than counts."""
        return self.least_ms > SAME_MS or self.most_ms < -SAME_MS


def measure(stamp_ms: int, asked_ms: int, took_ms: int) -> Measured:
    """Compare the time of a change with the answer to the call that made it.

    Args:
        stamp_ms: `last_change` of an object after that call; somebody else may have changed it since.
        asked_ms: a time that the `Date` clock had passed when the call arrived (`Answer.server_ms`).
        took_ms: from before the call until the object was read.
    """
    return Measured(stamp_ms - asked_ms - took_ms - _COARSE_MS, stamp_ms - asked_ms)


def correction(measured: Measured, before_ms: int, doubted: bool) -> tuple[int, bool]:
    """How far the stamping clock counts as ahead of `Date`, and whether the next measurement has to confirm another.

    A clock that is surely the slower one by far counts at once: a cursor that follows the other passes changes.

    Args:
        measured: now.
        before_ms: what counts so far.
        doubted: the last measurement differed from that.
    """
    now_ms = measured.least_ms if measured.differs else 0
    if measured.least_ms - SAME_MS <= before_ms <= measured.most_ms + SAME_MS and bool(before_ms) == bool(now_ms):
        return before_ms, False
    if abs(now_ms - before_ms) > DOUBTED_MS or doubted:
        return now_ms, False
    return before_ms, True


def is_news(ctx: Context, measured: Measured) -> bool:
    """Whether it would change by how much polls correct `Date`, if it is measured once more."""
    before_ms = ctx.ledger.reading.stamps_ms()
    return correction(measured, before_ms, doubted=True)[0] != before_ms


def confirmed(ctx: Context, task_id: str, asked_ms: int, began: float) -> Measured | None:
    """Measure by a read that shows a write of our own for certain; None where none does soon.

    A read that lags shows the write before, of 20 seconds ago and more, and looks like a clock that is behind by that.

    Args:
        ctx: the scheduler.
        task_id: the service task.
        asked_ms: a time that the `Date` clock had passed before the write.
        began: when that was, by the monotonic clock of this process.
    """
    mark = nonce()
    try:
        service.write_runtime(ctx.api, task_id, {PROPERTY: mark})
    except Refused as refused:
        log.warning("cannot compare the clocks of the ClearML server: %s", refused)
        return None
    until = time.monotonic() + SHOWS_SECONDS
    while True:
        found = service.read(ctx.api, task_id, configuration=False)
        if found is not None and found.changed_ms and found.runtime.get(PROPERTY) == mark:
            return measure(found.changed_ms, asked_ms, int((time.monotonic() - began) * 1000))
        if time.monotonic() >= until:
            log.info("reads of the ClearML server lag behind writes: comparing its clocks later")
            return None
        time.sleep(PAUSE_SECONDS)


def compare_clocks(ctx: Context, memory: Memory, measured: Measured) -> None:
    """Note by how much polls have to correct `Date`; raise the alarm, or clear it."""
    before_ms = ctx.ledger.reading.stamps_ms()
    ahead_ms, doubted = correction(measured, before_ms, memory.text("clocks_doubted") == "1")
    memory.put("clocks_doubted", "1" if doubted else "")
    if not doubted:
        ctx.ledger.reading.note_stamps(ahead_ms)
    if not ahead_ms:
        if before_ms or not memory.text("clocks_compared"):
            ctx.ledger.history.clear_alarm(DATE_ALARM)
    else:
        text = in_words(ahead_ms)
        if ctx.ledger.history.raise_alarm(DATE_ALARM, text, ctx.ledger.now_ms()):
            log.error("%s", text)
    memory.put("clocks_compared", "1")


def in_words(ahead_ms: int) -> str:
    """Say by how much they differ, and what to do."""
    way = "behind" if ahead_ms > 0 else "ahead of"
    return (
        f"the HTTP Date of the ClearML server's answers is {abs(ahead_ms) / 1000:.0f} s {way} the clock that stamps "
        "changes, by which polls read all the same: the clocks of the server, its database or a proxy before it differ"
    )
