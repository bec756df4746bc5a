"""The action that aborts a running ClearML task: its end is requested, then it is marked as stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BeforeValidator

from triggers.actions.filling import filling
from triggers.actions.listed import ActsOn, constructor
from triggers.actions.on_object import OnObject
from triggers.base.escaping import one_line
from triggers.model.kinds import noun_of
from triggers.model.values import wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState

#: Statuses that an abort ends.
_ALIVE: Final = frozenset({"queued", "in_progress"})
#: The server writes it while a worker has not ended the task yet.
_STOPPING: Final = "stopping"
#: So long a worker has for ending a task before it is marked as stopped all the same, ms. The SDK looks every 2 s, an
#: agent every 5 s, and ends the process within some more.
GRACE_MS: Final = 60_000
#: When to look again whether it has ended, seconds.
_LOOK_AGAIN_SECONDS: Final = 2.0
_LONGEST_MESSAGE: Final = 1000


def _message(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_MESSAGE:
        raise wrong(f"give a text of at most {_LONGEST_MESSAGE} characters", "message", value)
    return value


class Abort(OnObject):
    """Abort a ClearML task that is queued or running. Its worker ends it, within a minute.

    Args:
        message (str, default ''): Status reason of the ClearML task, at most 1,000 characters. References such as
            '${object.name}' are filled in. If empty, a text that names the trigger.
        on ('object' | 'launched', default 'object'): What to act on: the object that fired, or the ClearML task that
            the trigger launched for it.

    Raises:
        InvalidAction: An argument is wrong. A `ValueError`; the message names the action and the argument.
    """

    type: Literal["abort"] = "abort"
    message: Annotated[str, BeforeValidator(_message)] = ""

    SERVES = ("task",)
    VERB = ("abort", "aborted")
    LEAVES = "stopped"
    CHANGES = frozenset({"status"})
    MOVES_STATUS = False  # of a task that is about to stop, the status has moved and is to move once more

    @constructor
    def __init__(self, message: str = "", *, on: ActsOn = "object") -> None: ...

    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Whether it runs at all."""
        if state.status not in _ALIVE:
            return f"it is {state.status}: there is nothing to abort"
        # not a run that somebody began after an earlier try had ended the one that fired
        return "" if _is_stopping(state) else self._moved_since(state, attempt)

    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Request its end; look again while its worker is at it."""
        reason = self._reason(attempt)
        if not _is_stopping(state):
            state.stop(reason)
            after = state.again()
            if after is None or after.status not in _ALIVE:
                return ""
            attempt.snooze(_LOOK_AGAIN_SECONDS, "its end was requested; its worker has not ended it yet")
        elif state.server_ms - state.status_changed_ms < GRACE_MS:
            attempt.snooze(_LOOK_AGAIN_SECONDS, "its worker has not ended it yet")
        else:
            state.stopped(reason)
            return f"its worker did not end it within {GRACE_MS // 1000} s: it was marked as stopped"
        return ""

    def _reason(self, attempt: Attempt) -> str:
        said = one_line(filling(attempt, self.message).fill(self.message))
        return said[:_LONGEST_MESSAGE] or f"aborted by {noun_of(attempt.trigger.kind)} {one_line(attempt.trigger.name)}"


def _is_stopping(state: ObjectState) -> bool:
    return state.status == "in_progress" and _STOPPING in state.status_message
