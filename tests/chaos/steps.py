"""Wall clocks that are stepped: part of a plan. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from tests.chaos.plan import PROCESSES, Disturbance, Mode

#: whose clocks are stepped, by weight: a process, Redis, the clock that stamps changes, the HTTP `Date`; in local
#: mode the script, its child and Redis have the clock of one machine
CLOCKS: Mapping[Mode, Mapping[str, int]] = {
    "fleet": {**dict.fromkeys(PROCESSES["fleet"], 1), "redis": 4, "clearml": 3, "date": 3},
    "local": {"machine": 4, "clearml": 3, "date": 3},
}
#: seconds by which, and the range of seconds between two steps
STEPS = (7, 45, 600, 3_600, 14_400)
STEP_EVERY = (1.5, 4.0)


def steps(seed: int, seconds: float, mode: Mode) -> Iterator[Disturbance]:
    """Wall clocks that are set, forward and back, at any moment; half of them are set right again.

    The clock that stamps changes goes forward first and then back several times, by more than a little. Two steps of it
    with no poll between them cannot be told apart (decision 21), and a poll that Redis forgot does not count: `run`
    waits for polls before it makes the next one, and until a copy that is to replace Redis has done so.
    """
    server = 0
    dice, at = random.Random(f"steps {seed} {seconds:g} {mode}"), 1.0
    while at < seconds:
        (clock,) = dice.choices(list(CLOCKS[mode]), list(CLOCKS[mode].values()))
        by = dice.choice((1, -1)) * dice.choice(STEPS)
        stays = dice.random() < 0.5
        if clock == "clearml":
            server = by = by if by > 0 <= server else min(server, 0) - max(45, abs(by))
            stays = True
        yield Disturbance(round(at, 2), "step", clock, 0.0 if stays else round(dice.uniform(1, 8), 2), by)
        at += dice.uniform(*STEP_EVERY)
