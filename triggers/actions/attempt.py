"""One attempt at one firing: what it works on, and the ways in which it ends."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triggers.actions import outcomes
from triggers.actions.action import Action
from triggers.actions.functions import Function
from triggers.base.errors import LaunchImpossible, ServerBusy
from triggers.base.logs import about, logger
from triggers.context import Context
from triggers.ledger.firings.firing import Firing
from triggers.ledger.registry.registry import Entry
from triggers.model import Trigger
from triggers.model.action import Lane
from triggers.model.events import Event
from triggers.model.firing_info import FiringInfo
from triggers.model.parts import action_of
from triggers.model.trigger import slot_of_reused
from triggers.rules.recovery import retry_seconds

if TYPE_CHECKING:  # it ends attempts
    from triggers.actions.endings import Unwritten

log = logger(__name__)

#: A worker that dies at every attempt counts no failures; so many attempts in all are the end.
ATTEMPTS_PER_FAILURE = 3

#: A receiver that asks for a longer pause gets this one.
LONGEST_PAUSE_SECONDS = 86_400.0


@dataclass
class Attempt:
    """A claimed firing on its way to a launch.

    `done` is set once this attempt has nothing more to do for it: launched, skipped, held, put back,
    given up, or lost to another. `draft`: the clone of this attempt, not recorded yet; `task_id`: what it has
    recorded and may enqueue. `function`: that this process declared for the trigger. `unwritten`: where it ends as
    launched; None: in the ledger, at once.
    """

    ctx: Context
    firing: Firing
    entry: Entry
    lane: Lane = "dispatch"
    done: bool = False
    cloned: bool = False
    cleared: bool = False
    draft: str = ""
    task_id: str | None = None
    queue_id: str | None = None
    function: Function | None = None
    unwritten: Unwritten | None = None

    @property
    def trigger(self) -> Trigger:
        """The trigger as it is now, not as it was when the firing was granted."""
        return self.entry.trigger

    @property
    def action(self) -> Action:
        """What the trigger does: the action of this firing, or of this part of one.

        Raises:
            LaunchImpossible: the trigger was edited, and has none such any more. Admission has seen to that.
        """
        action = action_of(self.trigger, self.firing.part, self.firing.action)
        if action is None:
            raise LaunchImpossible(f"the trigger has no action {self.firing.part} any more")
        assert isinstance(action, Action)  # all in the table are
        return action

    @property
    def launched_id(self) -> str:
        """The ClearML task that the trigger launched for this firing, for which this action has waited; "" for none."""
        return self.firing.launched

    @property
    def is_trial(self) -> bool:
        """Whether a person tries the action: say so in what is sent."""
        return self.firing.is_trial

    @property
    def event(self) -> Event:
        """The object as it was when the firing was granted."""
        return Event.from_json(self.firing.event)

    @property
    def reuses(self) -> bool:
        """Whether the base task itself is run instead of a clone."""
        return bool(self.trigger.action.runs_itself)

    @property
    def recorded_reuses(self) -> bool:
        """Whether what is recorded is a task of a person's that is run itself: the trigger may have been edited since.

        The slot tells, which is taken before the task is recorded; a firing of an earlier release may lack it.
        """
        if self.task_id is not None:  # recorded by this very attempt
            return self.reuses
        firing = self.firing
        return firing.task is not None and (firing.slot or self.slot) == slot_of_reused(firing.task)

    @property
    def slot(self) -> str:
        """The slot that this firing needs: the base task's when it is reused, else the trigger's; or none."""
        return "" if self.firing.part or self.is_trial else self.trigger.slot

    @property
    def may_still_be_enqueued(self) -> bool:
        """Whether a draft is recorded that an enqueue under way may reach."""
        return self.task_id is not None or (self.firing.task is not None and not self.cleared)

    def launched(self, task_id: str, reason: str = "") -> None:
        """End as launched."""
        self.ctx.ledger.firings.launched(self.firing, self.lane, task_id=task_id, slot=self.slot, reason=reason)
        self.ended("launched", reason, task_id)

    def skip(self, reason: str, task_id: str = "") -> None:
        """End without a launch."""
        self.ctx.ledger.firings.skip(self.firing, self.lane, reason, task_id=task_id)
        self.ended("skipped", reason)

    def hold(self, hold: str, reason: str, *, latest: bool = False) -> None:
        """Wait on purpose; `latest`: only the newest waits on in that hold."""
        self.ctx.ledger.firings.hold(self.firing, self.lane, hold, reason, latest=latest)
        self.ended("held", reason)

    def move(self, lane: Lane) -> None:
        """Move it to the other lane, since the trigger's action was edited."""
        self.ctx.ledger.firings.move(self.firing, self.lane, lane)
        self.ended("moved", f"its trigger's action is carried out by {lane} now")

    def shadow(self, reason: str) -> None:
        """End where the launch would be; `reason` says what it would do."""
        self.ctx.ledger.firings.shadow(self.firing, self.lane, reason, slot=self.slot)
        self.done = True

    def give_up(self, reason: str) -> None:
        """End as a dead letter; a trial just ends."""
        if self.is_trial:
            self.skip(reason)
            return
        log.error(
            "trigger %r: %s %s is a dead letter: %s",
            self.trigger.name,
            self.firing.kind,
            self.firing.object,
            reason,
        )
        self.ctx.ledger.firings.give_up(self.firing, self.lane, reason, slot=self.slot)
        self.ended("gave up", reason)

    def fail(self, reason: str, *, retry_after_seconds: float = 0.0) -> None:
        """Try again later, or give up after the last attempt, once no draft is left that may be enqueued.

        While the ClearML server wants a pause, the attempt does not count.

        Args:
            reason: for people, without secrets.
            retry_after_seconds: the least pause, as a receiver asked for it; of one longer than a day, a day is kept.
        """
        if self.is_trial:
            self.skip(reason)
            return
        if not self.action.receiver and (left := self.ctx.api.pause_seconds):
            self.snooze(left, reason)  # the server refuses calls now: that says nothing about this one
            return
        settings, failures = self.ctx.settings, self.firing.failures + 1
        if failures >= settings.max_attempts and not self.may_still_be_enqueued:
            self.give_up(f"{reason} (attempt {failures} of {settings.max_attempts})")
            return
        pause = retry_seconds(failures, settings.retry_base_seconds, settings.retry_cap_seconds, random.random())
        pause = max(pause, min(retry_after_seconds, LONGEST_PAUSE_SECONDS))
        log.warning(
            "trigger %r: %s %s failed; retrying in %.1f s: %s",
            self.trigger.name,
            self.firing.kind,
            self.firing.object,
            pause,
            reason,
        )
        self.ctx.ledger.firings.fail(self.firing, self.lane, pause, reason, untouched=not self.cloned)
        self.ended("failed", reason)

    def wait_for_server(self, busy: ServerBusy) -> None:
        """Try again when the server accepts calls again; its refusal had no effect and costs no attempt."""
        if self.is_trial:
            self.skip(str(busy))
        else:
            self.snooze(max(busy.seconds, self.ctx.api.pause_seconds), str(busy))

    def snooze(self, seconds: float, reason: str) -> None:
        """Look again later; nothing failed."""
        self.ctx.ledger.firings.snooze(self.firing, self.lane, seconds, reason, untouched=not self.cloned)
        self.ended("snoozed", reason)

    def ended(self, what: str, reason: str, task_id: str = "") -> None:
        """This attempt is over: say so to people who read along."""
        self.done = True
        of = f"{what}: {self.trigger.name} for {self.firing.kind} {self.firing.object}"
        outcomes.note(f"{of} → ClearML task {task_id}" if task_id else of)
        told = f"{what} as ClearML task {task_id}" if task_id else what
        with self.about():
            log.info("%s", f"{told}: {reason}" if reason else told)

    def described(self) -> FiringInfo:
        """Describe the firing to others, in plain values that can be logged and stored."""
        firing, event = self.firing, self.event
        return {
            "key": firing.key,
            "trigger": firing.trigger.partition(":")[2],
            "kind": firing.kind,
            "object": firing.object,
            "name": event.name,
            "project": event.project,
            "changed_ms": firing.changed_ms,
            "attempt": firing.failures + 1,
        }

    def about(self) -> AbstractContextManager[None]:
        """While it is entered, every log line says what it is about."""
        firing = self.firing
        return about(trigger=self.trigger.name, object=f"{firing.kind} {firing.object}", firing=firing.key)
