"""What a script that serves says: at its start what it watches, then a line for everything that happens to a firing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import redis

from triggers.base.errors import TriggersError
from triggers.base.logs import logger
from triggers.base.redis_address import shown
from triggers.base.settings import Settings
from triggers.base.terminal import say
from triggers.clearml_api.links import link
from triggers.ledger import Ledger
from triggers.ledger.deployment.schedulers import Scheduler
from triggers.ledger.history.history import HistoryEntry
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.kinds import KINDS, phrase_of
from triggers.model.parts import label_of_key

log = logger(__name__)

#: Triggers that the first lines name, of each kind; the rest is counted.
MOST_NAMED: Final = 8
#: Pause between two looks at the history, seconds, and entries that are read at once.
LOOK_SECONDS: Final = 0.5
PAGE: Final = 500

#: The line for each kind of entry. "granted" is left out: what comes of it follows.
_VERBS: Final = {
    "launched": "launched",
    "acted": "acted",
    "resolved": "resolved",
    "tried": "tried",
    "skipped": "skipped",
    "held": "held",
    "released": "released",
    "failed": "failed",
    "dead": "gave up",
    "retried": "tries again",
    "dropped": "dropped",
    "shadow": "would launch",
}


def opening(scheduler: Scheduler, settings: Settings, triggers: Sequence[Trigger], folder: Path) -> list[str]:
    """The first lines: what is watched at which pace, where the state is, how to ask. `folder`: of a private Redis."""
    quiet = scheduler.quiet_seconds
    slower = f", and every {quiet:g} s after ten minutes without a change" if quiet > scheduler.poll_seconds else ""
    lines = [f"triggers: {scheduler.project}/{scheduler.name} polls every {scheduler.poll_seconds:g} s{slower}"]
    for kind in KINDS:
        if names := sorted(trigger.name for trigger in triggers if trigger.kind == kind):
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            lines.append(f"triggers: {phrase_of(kind)}s: {', '.join(map(repr, names[:MOST_NAMED]))}{more}")
    if not triggers:
        lines.append("triggers: no trigger is declared, so nothing fires")
    state = f"Redis at {shown(settings.redis_url)}" if settings.redis_url else f"the folder {folder}"
    lines.append(f"triggers: state in {state}; ask with `clearml-triggers list`")
    if settings.redis_url:
        lines.append(
            "triggers: polls and launches run wherever `celery -A clearml_triggers worker` and "
            "`celery -A clearml_triggers beat` are started with this TRIGGERS_REDIS_URL"
        )
    return lines


def told(entry: HistoryEntry, called: str, page: str, mark: str = "") -> str:
    """What happened in one line, "" for what is not logged.

    Args:
        entry: of the history.
        called: the name of the object, if it is known.
        page: the address of the launched ClearML task.
        mark: what the firing keeps of its action, if it is known.
    """
    if entry.what not in _VERBS:
        return ""
    kind, _, name = entry.trigger.partition(":")
    object_ = f"{called!r} ({entry.object})" if called else entry.object
    of = f"{name!r} {label}" if (label := label_of_key(None, entry.firing, mark)) else f"{name!r}"
    # what is carried out is recorded as launched, also by an action that launches nothing: a function, a webhook
    verb = "acted" if entry.what == "launched" and not entry.task else _VERBS[entry.what]
    line = f"triggers: {of} {verb}: {kind} {object_}"
    if entry.task:
        line += f" -> ClearML task {entry.task}" + (f" {page}" if page else "")
    if reason := entry.reason.partition("\n")[0]:
        line += f": {reason}"
    return line


def narrate(ledger: Ledger, scheduler: Scheduler, settings: Settings, folder: Path) -> Narrator:
    """Say what is served, and from now on what happens, unless the settings want it quiet."""
    narrator = Narrator(ledger, scheduler)
    if not settings.quiet:
        triggers = [entry.trigger for entry in ledger.registry.snapshot().active]
        say(*opening(scheduler, settings, triggers, folder))
        narrator.start()
    return narrator


class Narrator:
    """A thread that follows the history, from where it stood at the start. It outlives a restart of Redis."""

    def __init__(self, ledger: Ledger, scheduler: Scheduler) -> None:
        self.ledger, self.scheduler = ledger, scheduler
        self._after = ledger.history.newest_id() or "0-0"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="narrator", daemon=True)

    def start(self) -> None:
        """Begin to tell, in a thread of its own."""
        self._thread.start()

    def finish(self) -> None:
        """Tell what is left, and no more."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            self._look_calmly()
        self._look_calmly()

    def _look_calmly(self) -> None:
        try:
            while self.look() == PAGE:
                pass
        except (TriggersError, redis.RedisError, OSError) as failure:
            log.debug("cannot read the history; retrying: %s", failure)

    def look(self) -> int:
        """Tell what is new; how many entries that were."""
        found = self.ledger.history.read(self._after, PAGE)
        for entry in found:
            self._after = entry.id
            called, mark = self._known(entry.firing)
            if line := told(entry, called, link(self.scheduler, "task", entry.task), mark):
                say(line)
        return len(found)

    def _known(self, key: str) -> tuple[str, str]:
        """Name of the object of a firing, as it was when the firing was granted, and what is kept of its action."""
        try:
            firing = self.ledger.firings.get(key) if key else None
            return (Event.from_json(firing.event).name, firing.action) if firing else ("", "")
        except (ValueError, TriggersError):  # the line goes without them
            return "", ""
