"""What a plan may have beside its disturbances: a slow server, late reads, an operator, a promoted Redis. Pure.

slow      answers that take 1, 6 or 30 s, longer than the longest time that a worker waits
late      writes that reads show seconds later
operator  a person who pauses, edits and resumes one trigger, drops what it holds, and retires and re-declares another
promote   Redis replaced by a copy of it that lags, with the rest of what it knew lost (only as a cluster)
own       a trigger whose launches satisfy its own condition
forget    budgets in which nothing that is over has room, seconds after it (only as a cluster)
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import replace

from tests.chaos.plan import CHANGES_UNTIL, EXTRAS, KINDS, Change, Disturbance, Extra, Plan

#: changes a second of the kinds of an extra
RATE = 0.5
#: by which writes become visible late, seconds: less than `overlap_seconds`
LATE = (0.5, 2.0, 5.0, 12.0)
#: a line of launches, of which each waits until reads show that the one before it has ended, takes so long at most
LINE_SECONDS = 100.0
#: extras of a cluster only
CLUSTER = ("promote", "forget")
#: weight and seconds of slow answers, and how long calls are hit
SLOW = {"api takes 1 s": (5, 3, 6), "api takes 6 s": (3, 1, 4), "api takes 30 s": (1, 1, 2)}
#: what an operator does, and the range of seconds until it is undone
ACTS = {"operator pauses": (2, 5), "operator drops": (3, 6), "operator edits": (0, 0), "operator retires": (2, 6)}
#: seconds by which a copy of Redis lags
LAG = (0.3, 3.0)
#: the range of seconds between two of one extra
EVERY = {"slow": (5, 12), "operator": (3, 7), "promote": (12, 25)}


def with_extras(plan: Plan, extras: Collection[Extra]) -> Plan:
    """The plan with these as well; what it had stays as it was."""
    wanted = tuple(extra for extra in EXTRAS if extra in extras and (extra not in CLUSTER or plan.mode == "fleet"))
    if not wanted:
        return plan
    dice = {extra: random.Random(f"{extra} {plan.seed} {plan.seconds:g} {plan.mode}") for extra in wanted}
    changes = [change for extra in wanted for change in _changes(dice[extra], plan, extra)]
    more = [one for extra in wanted for one in _disturbances(dice[extra], plan, extra)]
    return replace(
        plan,
        extras=wanted,
        late_seconds=_late(dice["late"], plan) if "late" in wanted else 0.0,
        changes=tuple(sorted([*plan.changes, *changes], key=lambda change: (change.at, change.objects))),
        disturbances=tuple(sorted([*plan.disturbances, *more], key=lambda one: one.at)),
    )


def _late(dice: random.Random, plan: Plan) -> float:
    """How late reads are; less where a long line waits for them."""
    late = dice.choice(LATE)
    return max((one for one in LATE if one <= late and one * plan.line <= LINE_SECONDS), default=LATE[0])


def _changes(dice: random.Random, plan: Plan, extra: Extra) -> Iterator[Change]:
    for name in [name for name, kind in KINDS.items() if kind.extra == extra]:
        for number in range(max(2, int(plan.seconds * RATE))):
            at = round(dice.uniform(plan.clocks.apart, CHANGES_UNTIL * plan.seconds), 2)
            yield Change(at, name, (f"{name}-{number}",))


def _disturbances(dice: random.Random, plan: Plan, extra: Extra) -> Iterator[Disturbance]:
    if extra not in EVERY:
        return
    at = dice.uniform(1, EVERY[extra][0])
    while at < plan.seconds:
        yield _one(dice, round(at, 2), extra, stepped=plan.stepped)
        at += dice.uniform(*EVERY[extra])


def _one(dice: random.Random, at: float, extra: Extra, *, stepped: bool) -> Disturbance:
    if extra == "promote":
        return Disturbance(at, "promote redis", "", round(dice.uniform(*LAG), 2))
    if extra == "operator":
        # from when on a trigger counts that is declared while the server's clock is stepped depends on the moment
        kind = dice.choice([kind for kind in ACTS if not (stepped and kind == "operator retires")])
        return Disturbance(at, kind, "", round(dice.uniform(*ACTS[kind]), 2))
    (kind,) = dice.choices(list(SLOW), [weight for weight, _, _ in SLOW.values()])
    _, least, most = SLOW[kind]
    return Disturbance(at, kind, dice.choice(("before", "after")), round(dice.uniform(least, most), 2))
