"""The action that puts a ClearML task into a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator

from triggers.actions.listed import ActsOn, constructor
from triggers.actions.on_object import OnObject
from triggers.base.errors import LaunchImpossible, Refused, Transient
from triggers.model.action import Effect, Need
from triggers.model.values import wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState


def _queue(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise wrong("name a queue, or give its id", "queue", value)
    return value


class Enqueue(OnObject):
    """Put a ClearML task into a queue: a draft, or one that was stopped or has failed.

    Args:
        queue (str): Name or id of the queue.
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["enqueue"] = "enqueue"
    queue: Annotated[str, BeforeValidator(_queue)]

    LITERAL = frozenset({"queue"})
    SERVES = ("task",)
    VERB = ("enqueue", "enqueued")
    LEAVES = "queued"
    WANTS_END = True
    CHANGES = frozenset({"status"})
    MOVES_STATUS = True

    @constructor
    def __init__(self, queue: str, *, on: ActsOn = "object") -> None: ...

    @property
    def effects(self) -> frozenset[Effect]:
        """It waits in a queue."""
        return frozenset({Effect("queue", "", "yes")})

    def needs(self) -> list[Need]:
        """The queue."""
        return [Need("queue", "queue", self.queue)]

    def details(self) -> str:
        """The queue."""
        return f" into queue {self.queue}"

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it waits or runs."""
        if state.status in ("queued", "in_progress"):
            return f"it was already {state.status}"
        if state.status in ("published", "publishing", "completed") and not self._moved_since(state, attempt):
            way_out = "reset it first, with Reset()" if state.status == "completed" else "launch a clone of it"
            raise LaunchImpossible(f"ClearML task {state.id} is {state.status} and cannot be enqueued; {way_out}")
        return ""

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Put it there."""
        from triggers.actions.launching import lookups
        from triggers.actions.launching.permissions import check_enqueue

        ctx = attempt.ctx
        check_enqueue(attempt, self.queue, state.project_id)
        queue_id = lookups.queue_id(ctx, self.queue)
        if queue_id is None:
            raise Transient(f"there is no queue {self.queue!r} on the server; create it")
        try:
            state.enqueue(queue_id)
        except Refused:
            lookups.forget(ctx, "queue", self.queue)
            raise
        return ""
