"""How often to poll a scheduler whose script does not say: fast while something changes, slower while nothing does.

What hosted servers charge for a quiet night is a fraction of what fast polls would cost; the first change makes polls
fast again. Pure.
"""

from __future__ import annotations

from typing import Final

#: The pause between two polls after `QUIET_SECONDS` without a change, seconds.
QUIET_POLL_SECONDS: Final = 30.0

#: Without a change for so long, polls are as slow as they get, seconds.
QUIET_SECONDS: Final = 600.0

#: Without a change for less than this, polls keep their pace: work that goes on now and then is not quiet, seconds.
BUSY_SECONDS: Final = 120.0


def pace_seconds(pace: float, quiet_pace: float, quiet_for: float) -> float:
    """The pause before the next poll.

    Args:
        pace: while something changes.
        quiet_pace: after ten quiet minutes; no more than `pace` where the script chose the pace.
        quiet_for: how long no poll has found a change, seconds; less than 0 where a clock was set back.
    """
    if quiet_pace <= pace:
        return pace
    share = (quiet_for - BUSY_SECONDS) / (QUIET_SECONDS - BUSY_SECONDS)
    return pace + (quiet_pace - pace) * min(1.0, max(0.0, share))
