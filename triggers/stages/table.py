"""The stages, one row each. Whatever has to know which stages there are reads this table.

Queues, routes, the beat schedule, hints, `status`, notices, metrics and docs/stages.md come from it. A stage is its
module in `triggers/stages/`, its Celery task in `workers/` and its row here. The page is written by
`python -m triggers.stages.table`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triggers.base.terminal import say_page

if TYPE_CHECKING:
    from triggers.base.settings import Settings
    from triggers.ledger import Ledger
    from triggers.ledger.firings.waiting import Line

#: Seconds between two ticks of the schedule: the finest pace of polling.
TICK_SECONDS: Final = 1.0

_LOOK: Final = "run `clearml-triggers doctor`"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a stage, each thing by the time at which it was due.

    Attributes:
        line: Where it lies in the ledger (`ledger.waiting`).
        things: What lies in it, as `status` names it.
        stopped: Name of the problem when nobody takes what is due, as notices give it.
        text: What a notice says then; `{since}` is how long the oldest has been due.
        at_work: Whether somebody works on it since a time (ms) although the oldest has waited that long.
        thing: One of the things; "": as several of them.
    """

    line: Line
    things: str
    stopped: str
    text: str
    at_work: Callable[[Ledger, int], bool] = lambda _ledger, _since_ms: False
    thing: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: Its module in `triggers/stages/` and, where it has a Celery task, in `workers/`.
        does: What it does, one line.
        queues: The queues whose workers run it. A hint goes to the first, each tick to all. None: no Celery task.
        every: Seconds between two ticks, or the setting that has them. None: it runs on hints only.
        hint: What a hint names beside the scheduler. None: nobody hints it.
        backlog: What waits for it. None: its ticks find their work themselves.
    """

    name: str
    does: str
    queues: tuple[str, ...] = ()
    every: float | str | None = None
    hint: tuple[str, ...] | None = None
    backlog: Backlog | None = None

    @property
    def task(self) -> str:
        """Name of its Celery task."""
        return f"triggers.{self.name}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What its messages name."""
        return () if self.hint is None else ("scheduler", *self.hint)

    def seconds(self, of: Settings) -> float | None:
        """Give the seconds between two ticks under these settings."""
        return float(getattr(of, self.every)) if isinstance(self.every, str) else self.every


def _anything_ended(ledger: Ledger, since_ms: int) -> bool:
    """Whether dispatchers are at work: behind a flood what is due longest may be old although all of them are."""
    return any(one.what not in ("granted", "released", "retried") for one in ledger.history.recent(since_ms))


def _script_serves(ledger: Ledger, _since_ms: int) -> bool:
    return ledger.homes.holder() is not None


STAGES: Final[list[Stage]] = [
    Stage(
        "poll",
        "reads the changes of each source and stores those that concern a trigger as batches of events",
        queues=("poll",),
        every=TICK_SECONDS,
    ),
    Stage(
        "clock",
        "turns due times of schedules into events; reads only Redis",
        queues=("poll",),
        every=TICK_SECONDS,
    ),
    Stage(
        "match",
        "decides which triggers fire on the events of one partition, and grants firings",
        queues=("match",),
        hint=(),
        backlog=Backlog(
            "batches",
            "partitions with events",
            "matching has stopped",
            f"no match worker has taken events for {{since}}: {_LOOK}",
            thing="partition with events",
        ),
    ),
    Stage(
        "dispatch",
        "carries out due firings in batches, each exactly once",
        queues=("dispatch",),
        hint=(),
        backlog=Backlog(
            "dispatch",
            "firings",
            "dispatch has stopped",
            f"no dispatch worker has taken due firings for {{since}}: {_LOOK}",
            _anything_ended,
            thing="firing",
        ),
    ),
    Stage(
        "act",
        "carries out actions other than launches and functions, so that a slow receiver does not delay another one",
        queues=("act",),
        hint=(),
        backlog=Backlog(
            "act",
            "actions",
            "actions are not carried out",
            f"no worker has taken actions that are due for {{since}}: {_LOOK}",
            _anything_ended,
            thing="action",
        ),
    ),
    Stage(
        "call",
        "calls functions in the process that declared them, which looks for due firings itself",
        backlog=Backlog(
            "caller",
            "firings",
            "functions are not called",
            "function calls have waited {since} for the script that declares the functions: start it",
            _script_serves,
            thing="firing",
        ),
    ),
    Stage(
        "reconcile",
        "re-sends lost hints, releases held firings, deletes stray drafts",
        queues=("poll",),
        every="reconcile_seconds",
    ),
    Stage(
        "sync",
        "keeps the service task and the ledger in step; each part at its own pace",
        queues=("poll",),
        every=5.0,
    ),
    # two roles tick it: that one of them has stopped is among what the other reports
    Stage(
        "notify",
        "notifies people of dead letters, stopped stages, held bursts and other alarms",
        queues=("dispatch", "poll"),
        every=15.0,
    ),
]


def stage(name: str) -> Stage:
    """Give the row of a stage.

    Raises:
        KeyError: no stage has that name.
    """
    found = next((row for row in STAGES if row.name == name), None)
    if found is None:
        raise KeyError(f"no stage {name!r}: one of {', '.join(row.name for row in STAGES)}")
    return found


#: Causes of requests, as people call them, where the stage is named otherwise.
_CAUSES: Final = {"dispatch": "launch", "act": "action"}


def cause_of(task: str) -> str:
    """Under which cause the requests of a Celery task are counted."""
    name = task.rpartition(".")[2]
    return _CAUSES.get(name, name)


def along(with_: Stage) -> frozenset[str]:
    """Give the names of the stages whose ticks may come in the message of another one's."""
    if with_.every is None:
        return frozenset()
    return frozenset(row.name for row in STAGES if row.queues and row.every is not None) - {with_.name}


def queues() -> tuple[str, ...]:
    """Give the queues that workers consume, one of each role, in the order of the stages."""
    return tuple(dict.fromkeys(queue for row in STAGES for queue in row.queues))


def page() -> str:
    """Write docs/stages.md."""
    rows = [
        "| stage | does | Celery task | queue | runs | what waits for it |",
        "|---|---|---|---|---|---|",
    ]
    for row in STAGES:
        task = f"`{row.task}`" if row.queues else "none"
        where = ", ".join(row.queues) or "none"
        waits = f'{row.backlog.things} ("{row.backlog.stopped}")' if row.backlog else "nothing"
        rows.append(f"| {row.name} | {row.does} | {task} | {where} | {runs(row)} | {waits} |")
    return _PAGE.format(table="\n".join(rows))


def runs(row: Stage) -> str:
    """When a stage runs, in words."""
    ways = []
    if isinstance(row.every, str):
        ways.append(f"every `TRIGGERS_{row.every.upper()}`")
    elif row.every is not None:
        ways.append(f"every {row.every:g} s")
    if row.hint is not None:
        ways.append("when hinted" + (f", with the {' and '.join(row.hint)}" if row.hint else ""))
    return "; ".join(ways) or "in the process that serves"


_PAGE: Final = """# The stages

Written from `triggers/stages/table.py` by `python -m triggers.stages.table`. Queues, routes, the beat schedule, hints,
`clearml-triggers status`, notices and metrics come from the same table.

{table}

A hint goes to the first queue of a stage, a tick to each of its queues. One message carries all ticks of a queue that
are due at the same time. A tick only starts the work for each scheduler, in threads apart from those of Celery
(`workers/ticks.py`). The worker that takes a tick makes the next ones by itself (`workers/stints.py`).

Waiting work is in a sorted set in Redis, by the time at which it came due. `status` and the metric `stage_waiting`
count what is due. If nobody takes due work for a minute, a notice with the name in brackets reports it. Polls have no
backlog: they count as late if the next poll is overdue by several paces.

To add a stage, write `triggers/stages/NAME.py` (a function of `Context`, without Celery), `workers/NAME.py` (the Celery
task `triggers.NAME`) and a row of the table, then generate this page again.
"""

if __name__ == "__main__":
    say_page(page(), end="")
