"""A seed's plan: what changes, what is disturbed, when. Pure and deterministic; it is all that the checker believes.

    python -m tests.chaos.plan SEED [SECONDS] [fleet|local] [clocks] [slow] [late] [operator] [promote] [own] [forget]

prints one.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Mode = Literal["fleet", "local"]
Promise = Literal["exactly", "at least", "at most", "never"]
#: what a plan may have beside its disturbances; `extras` says what each brings
Extra = Literal["slow", "late", "operator", "promote", "own", "forget"]
EXTRAS: tuple[Extra, ...] = get_args(Extra)


@dataclass(frozen=True)
class Kind:
    """One kind of change; the trigger that fires for it has the same name.

    Args:
        weight: how many of a hundred changes.
        promise: what is promised about the runs of one object: as many as it has rounds.
        rounds: how often an object of this kind changes.
        alone: no two launches of its trigger are ever queued or running at once.
        together: several objects change in one call.
        extra: only plans that have this one have such changes.
    """

    weight: int
    promise: Promise = "exactly"
    rounds: int = 1
    alone: bool = False
    together: int = 1
    extra: str = ""


#: by name; an object's name is the kind's and a number
KINDS: Mapping[str, Kind] = {
    "failed": Kind(22),
    "tagged": Kind(6, together=5),
    "published": Kind(6),
    "archived": Kind(6),
    "threshold": Kind(6),
    "model": Kind(6),
    "model-of-task": Kind(5),
    "dataset": Kind(5),
    "dataset-published": Kind(5),
    "called": Kind(5, "at least"),
    "transition": Kind(4, rounds=3),
    "every-change": Kind(4, rounds=3),
    "reused": Kind(1, rounds=4),
    "queued": Kind(1, alone=True, together=3),
    "skipped": Kind(2, "at most", alone=True, together=3),
    "quiet": Kind(6, "never"),
    # several actions, sent to receivers that are as bad as they can be
    "told": Kind(6, "at least"),
    "own": Kind(0, extra="own"),
    "watched": Kind(0, extra="operator"),
    "returning": Kind(0, extra="operator"),
}
#: changes a second
RATE = 5.0
#: the part of the time at the beginning in which all changes begin
CHANGES_UNTIL = 0.9


@dataclass(frozen=True)
class Change:
    """At `at` seconds objects of one kind begin their rounds."""

    at: float
    kind: str
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Disturbance:
    """At `at` something is done to `target`, and undone after so many seconds; 0: at once, or nothing to undo.

    `by`: seconds by which a clock is stepped.
    """

    at: float
    kind: str
    target: str = ""
    seconds: float = 0.0
    by: int = 0

    @property
    def steps_the_server(self) -> bool:
        """Whether the clock that stamps changes is set: `run` does that after polls have read since the last time."""
        return (self.kind, self.target) == ("step", "clearml")

    @property
    def name(self) -> str:
        """The kind, and the role of what it is done to."""
        return f"{self.kind} {role_of(self.target)}".strip()


@dataclass(frozen=True)
class Clocks:
    """Seconds by which clocks differ from this machine's, for the whole run.

    `server` and `replicas` (who is served by which depends on the caller) are the ClearML server's; `workers` by
    process, what it takes for the time of day.
    """

    server: float
    replicas: tuple[float, ...]
    workers: Mapping[str, float]

    @property
    def apart(self) -> float:
        """By how much the server's clocks differ: so long after a registration a change may carry a time before it."""
        return max(self.replicas) - min(self.replicas) if self.replicas else 0.0


@dataclass(frozen=True)
class Plan:
    """Everything that will be done. Every call of a worker to the ClearML server takes `call_seconds` before it takes
    effect and as long after it: most of the time of a launch is between two steps, as it is with a server far away.
    """

    seed: int
    seconds: float
    mode: Mode
    clocks: Clocks
    call_seconds: float
    changes: tuple[Change, ...]
    disturbances: tuple[Disturbance, ...]
    #: clocks are stepped as well
    stepped: bool = False
    extras: tuple[Extra, ...] = ()
    #: writes become visible to reads so late
    late_seconds: float = 0.0

    def objects(self) -> Iterator[tuple[str, str]]:
        """Kind and name of every object that changes."""
        for change in self.changes:
            for name in change.objects:
                yield change.kind, name

    @property
    def line(self) -> int:
        """How many runs may have to follow one another."""
        objects = [kind for kind, _ in self.objects()]
        return max(*(2 * kind.rounds for kind in KINDS.values()), objects.count("queued"))

    def lines(self) -> list[str]:
        """The plan for people, in order of time."""
        rows = [(c.at, f"{c.kind}: {', '.join(c.objects)}") for c in self.changes]
        for d in self.disturbances:
            text = f"    {d.kind} {d.target} {f'by {d.by} s' if d.by else ''}".rstrip()
            rows.append((d.at, f"{text} for {d.seconds:.1f} s" if d.seconds else text))
        slow = f"a call takes 2 times {self.call_seconds} s"
        head = f"seed {self.seed}, {self.seconds:g} s, {self.mode}; {slow}; {self.clocks}"
        if self.late_seconds:
            head += f"; writes are visible {self.late_seconds} s late"
        return [head, *(f"{at:7.2f}  {text}" for at, text in sorted(rows))]


#: processes by mode; the name says the role
PROCESSES: Mapping[Mode, tuple[str, ...]] = {
    "fleet": (
        *(f"beat-{n}" for n in (1, 2)),
        *(f"poll-{n}" for n in (1, 2)),
        *(f"match-{n}" for n in (1, 2)),
        *(f"dispatch-{n}" for n in (1, 2, 3)),
        "script",
    ),
    "local": ("child", "script"),
}
#: weight and the range of seconds of what is done to a process; fleet and local
TO_PROCESSES: Mapping[Mode, Mapping[str, tuple[int, float, float]]] = {
    "fleet": {
        "kill": (30, 0, 0),
        "freeze": (24, 2.5, 5),
        "cut": (10, 0, 0),
        "mute": (5, 1, 4),
        "swallow": (7, 0.5, 1.5),
    },
    "local": {"kill": (22, 0, 0), "freeze": (14, 2.5, 5)},
}
#: what is done to Redis and to the ClearML server
TO_OTHERS: Mapping[str, tuple[int, float, float]] = {
    "kill redis": (4, 0.2, 2),
    "freeze redis": (3, 0.5, 3),
    "kill all": (2, 0, 0),
    "api 500": (5, 2, 5),
    "api 500 after": (5, 2, 5),
    "api drop": (4, 2, 5),
    "api drop after": (7, 2, 5),
    "api page": (3, 2, 5),
    "api half": (3, 2, 5),
    "api slow": (4, 2, 5),
    "api slow after": (4, 2, 5),
    "api tokens": (2, 0, 0),
}
#: by role, how often a process is hit beside a worker: a script takes seconds to start, and while the schedule is
#: taken over nothing goes on that could be disturbed
ROLE_WEIGHT = {"script": 0.3, "beat": 0.2, "dispatch": 1.5}


def role_of(process: str) -> str:
    """The role in the name of a process."""
    return process.partition("-")[0]


def make_plan(
    seed: int,
    seconds: float = 60.0,
    mode: Mode = "fleet",
    *,
    stepped: bool = False,
    extras: Collection[Extra] = (),
) -> Plan:
    """The plan of a seed; the same arguments give the same plan, in every process.

    `stepped`: clocks are stepped as well; `extras`: what else there is. All the rest is the same.
    """
    dice = random.Random(f"{seed} {seconds:g} {mode}")
    clocks, call_seconds = _clocks(dice, mode), round(dice.uniform(0.02, 0.15), 2)
    changes, disturbances = _changes(dice, seconds, clocks.apart), _disturbances(dice, seconds, mode)
    from tests.chaos.extras import with_extras  # these add to a plan
    from tests.chaos.steps import steps

    if stepped:
        disturbances = tuple(sorted([*disturbances, *steps(seed, seconds, mode)], key=lambda one: one.at))
    plan = Plan(seed, seconds, mode, clocks, call_seconds, changes, disturbances, stepped)
    return with_extras(plan, extras)


def _clocks(dice: random.Random, mode: Mode) -> Clocks:
    server = round(dice.uniform(-4, 4), 1)
    replicas = tuple(round(dice.uniform(-2, 2), 1) for _ in range(dice.choice((0, 0, 3))))
    workers = {name: round(dice.uniform(-3, 3), 1) for name in PROCESSES[mode]}
    return Clocks(server, replicas, workers)


def _changes(dice: random.Random, seconds: float, begin: float) -> tuple[Change, ...]:
    weights = [kind.weight for kind in KINDS.values()]
    counts = dict.fromkeys(KINDS, 0)
    found: list[Change] = []
    always = [name for name, kind in KINDS.items() if not kind.extra]
    chosen = [*always, *dice.choices(list(KINDS), weights, k=max(0, int(seconds * RATE) - len(always)))]
    for name in chosen:
        if name == "reused" and counts[name]:
            name = "failed"  # one base task, one line of rounds
        objects = tuple(f"{name}-{counts[name] + n}" for n in range(KINDS[name].together))
        counts[name] += len(objects)
        # what has several rounds begins early
        until = CHANGES_UNTIL if KINDS[name].rounds == 1 else 0.4
        found.append(Change(round(dice.uniform(begin, until * seconds), 2), name, objects))
    return tuple(sorted(found, key=lambda change: (change.at, change.objects)))


def _disturbances(dice: random.Random, seconds: float, mode: Mode) -> tuple[Disturbance, ...]:
    kinds = {**TO_PROCESSES[mode], **TO_OTHERS}
    names, weights = list(kinds), [weight for weight, _, _ in kinds.values()]
    processes = PROCESSES[mode]
    found = []
    for second in range(1, int(seconds)):
        at = round(second + dice.uniform(-0.4, 0.4), 2)
        (kind,) = dice.choices(names, weights)
        _, least, most = kinds[kind]
        target = ""
        if kind in TO_PROCESSES[mode]:
            (target,) = dice.choices(processes, [ROLE_WEIGHT.get(role_of(name), 1.0) for name in processes])
        found.append(Disturbance(at, kind, target, round(dice.uniform(least, most), 2)))
    return tuple(found)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    wanted: Mode = "local" if "local" in arguments[2:] else "fleet"
    printed = make_plan(
        int(arguments[0]),
        float((arguments[1:] or ["60"])[0]),
        wanted,
        stepped="clocks" in arguments[2:],
        extras=[extra for extra in EXTRAS if extra in arguments[2:]],
    )
    print("\n".join(printed.lines()))
