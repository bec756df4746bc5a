"""The course of the demo, from start to verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rich.console import Console
from rich.live import Live
from rich.text import Text

from triggers.base.errors import TriggersError
from triggers.base.plural import plural
from triggers.base.terminal import say
from triggers.cli import output
from triggers.cli.demo import table
from triggers.cli.demo.signals import Signals
from triggers.cli.demo.stage import DemoStage
from triggers.cli.demo.watch import DemoChange, Follower, Passage, find_ledger, prepare
from triggers.cli.screen import Shown
from triggers.local.server_binary import find_server

#: Changes of one round, each of which fires one trigger.
CHANGES_PER_ROUND = 5

#: Seconds after which all launches have to be there, on however slow a machine: so many, and so many per round.
_LONGEST_SECONDS, _ROUND_SECONDS = 40.0, 6.0

#: Seconds to watch on when all is launched: a launch too many would come with the next polls.
_QUIET_SECONDS = 2.5

#: Seconds between two looks.
_LOOK_SECONDS = 0.2

T = TypeVar("T")


def play(rounds: int, *, as_json: bool, keep: bool = False) -> bool:
    """Show the demo; whether every expected launch was made exactly once.

    Raises:
        Usage: there is no Redis to start.
        TriggersError: one of its processes failed.
    """
    from triggers.sandbox import Sandbox  # needs the extra `sandbox`

    find_server(os.environ.get("TRIGGERS_REDIS_SERVER"))  # says what to install before anything is started
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    console = output.console(stderr=as_json)
    with Signals() as signals, Sandbox() as sandbox, DemoStage(sandbox) as stage:
        course = _Course(stage, signals, console, _LONGEST_SECONDS + rounds * _ROUND_SECONDS)
        prepare(sandbox)
        with Live(console=console, transient=True, get_renderable=course.render):
            watch = course.start(sandbox)
            course.follow(watch, rounds)
        launches, clones = len(watch.launches()), watch.clones()
        result = outcome(course.passages, rounds * CHANGES_PER_ROUND)
        good = bool(result["expected"] == result["launched"] == launches == clones)
        console.print(table.table(course.passages, width=console.width))
        console.print()
        console.print(closing_line(result, launches, clones, good=good))
        if as_json:
            output.print_json_line(result)
        if keep:
            _stay(sandbox, stage, signals)
    return good


def _stay(sandbox: Any, stage: DemoStage, signals: Signals) -> None:
    """Leave everything up until a signal comes."""
    from triggers.sandbox import keyring

    environment = sandbox.env() | {"TRIGGERS_STATE_FOLDER": str(stage.state)}
    keyring.keep(sandbox.port, sandbox.app.instance, environment)
    say(
        "",
        f"It stays up until Ctrl-C. Pages of the ClearML tasks: {sandbox.url}/projects; in another terminal:",
        f'eval "$(clearml-triggers sandbox --port {sandbox.port} --env)"',
        "clearml-triggers list",
        "clearml-triggers history",
        error=True,
    )
    try:
        while True:
            stage.check()
            signals.pause(_LOOK_SECONDS)
    except SystemExit:
        say("ending", error=True)
    finally:
        keyring.forget(sandbox.port, sandbox.app.instance)


class _Course:
    """One showing: what has happened so far."""

    def __init__(self, stage: DemoStage, signals: Signals, console: Console, seconds: float) -> None:
        self.stage, self.signals, self.console = stage, signals, console
        self.status, self.passages = "", list[Passage]()
        self.deadline = time.monotonic() + seconds

    def render(self) -> Any:
        """Draw it as it stands."""
        return table.render(self.passages, self.status, width=self.console.width)

    def start(self, sandbox: Any) -> Follower:
        """Start the user's script and wait until it serves its triggers."""
        self.status = "starting the user's script: TriggerScheduler, five triggers, start()"
        self.stage.run_script()
        ledger = self._until(lambda: find_ledger(self.stage.state), self.deadline)
        if ledger is None:
            raise TriggersError("the demo's script was not ready in time: this machine is too busy")
        return Follower(ledger, sandbox)

    def follow(self, watch: Follower, rounds: int) -> None:
        """Make the changes and follow them until all are launched, or until that takes too long."""
        self.status = "changing ClearML tasks, models and datasets with the ClearML SDK"
        self.stage.run_changes(rounds)

        def launched() -> bool:
            self._look(watch)
            return len(self.passages) == rounds * CHANGES_PER_ROUND and all(p.launches for p in self.passages)

        if self._until(launched, self.deadline):
            self.status = "all launched; watching for extra launches"
            self._until(lambda: self._look(watch), time.monotonic() + _QUIET_SECONDS)

    def _look(self, watch: Follower) -> None:
        self.passages = watch.passages(DemoChange(**told) for told in self.stage.told())

    def _until(self, look: Callable[[], T | None], deadline: float) -> T | None:
        """Look until something (not None, not False) is seen; None when the time is over."""
        while time.monotonic() < deadline:
            if seen := look():
                return seen
            self.stage.check()
            self.signals.pause(_LOOK_SECONDS)
        return None


def outcome(passages: Sequence[Passage], expected: int) -> dict[str, Any]:
    """The result as JSON has it; `launched` counts changes that were launched exactly once."""
    firings = [
        {
            "trigger": passage.change.trigger,
            "kind": passage.change.kind,
            "object_id": passage.change.object,
            "task_id": launch.task,
            "latency_ms": launch.at_ms - passage.changed_ms,
        }
        for passage in passages
        for launch in passage.launches
        if passage.changed_ms is not None
    ]
    once = sum(len(passage.launches) == 1 for passage in passages)
    return {"expected": expected, "launched": once, "firings": firings}


def closing_line(result: dict[str, Any], launches: int, clones: int, *, good: bool) -> Text:
    """Say whether every change was launched once."""
    if not good:
        return Shown("not as expected:", "bold red").append(
            f" {plural(result['expected'], 'change')}, {result['launched']} launched once; "
            f"{plural(launches, 'ClearML task')} in the server's queue, {plural(clones, 'clone')} in its request log",
            "not bold default",
        )
    count = result["expected"]
    line = Shown(f"{plural(count, 'change')}, {plural(count, 'launch', 'launches')}, each once", "bold")
    return line.append(", by the server's own queue and request log.", "not bold")
