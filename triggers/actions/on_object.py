"""Actions that edit a ClearML object: the one that fired, or the ClearML task that the trigger launched for it.

Each looks at the state first and does only what is missing, so that a try after a lost reply changes nothing twice.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from triggers.actions.filling import launched_task
from triggers.actions.listed import ActsOn, Listed, constructor
from triggers.base.errors import LaunchImpossible, Refused
from triggers.model.action import ACTIONS, DeclaredAction
from triggers.model.kinds import KINDS, Kind
from triggers.model.parts import all_parts, firing_of, key_of, list_of
from triggers.model.values import one_of, wrong

if TYPE_CHECKING:
    from triggers.actions.attempt import Attempt
    from triggers.clearml_api.edits import ObjectState, ServerCollection
    from triggers.model.events import Event

#: The kinds of object that are on the ClearML server.
OF_CLEARML: Final[tuple[Kind, ...]] = tuple(kind for kind, of in KINDS.items() if of.page)

#: When to look again whether an edit that comes first has been made, seconds.
_TURN_SECONDS: Final = 2.0


class OnObject(Listed):
    """Edit an object. What differs is in `settled`, `edit` and the words."""

    on: Annotated[ActsOn, one_of("object", "launched")] = "object"

    #: Kinds of object that it can act on.
    SERVES: ClassVar[tuple[Kind, ...]] = OF_CLEARML
    #: What it does to an object, as an infinitive and as what was done to it.
    VERB: ClassVar[tuple[str, str]] = ("", "")
    #: Fields of events that it changes to what it cannot say beforehand.
    CHANGES: ClassVar[frozenset[str]] = frozenset()
    #: Whether what another does to the status meanwhile means that an earlier try took effect, or is not ours to undo.
    MOVES_STATUS: ClassVar[bool] = False
    #: The status in which it leaves a ClearML task, if it changes that. Such edits of one task follow the list's order.
    LEAVES: ClassVar[str] = ""
    #: Whether it can do nothing to a task that waits or runs.
    WANTS_END: ClassVar[bool] = False

    @constructor
    def __init__(self, *, on: ActsOn = "object") -> None: ...

    # -- what it needs of others
    @property
    def after_launch(self) -> bool:
        """It waits for the launch on whose ClearML task it acts."""
        return self.on == "launched" or super().after_launch

    @property
    def edits_object(self) -> bool:
        """Unless it acts on what was launched."""
        return self.on == "object"

    def unfit(self, before: Sequence[DeclaredAction] | None = None) -> tuple[str, str]:
        """An edit of what was launched that only one which has ended takes, too."""
        if self.on == "launched" and self.WANTS_END and before is not None and not any(self._precede(before)):
            way_out = f"give {type(self).__name__} to a trigger that fires when such a task has ended"
            return "on", f"the launched ClearML task waits or runs when it is to be {self.VERB[1]}; {way_out}"
        return super().unfit(before)

    def check_for(self, kind: Kind, argument: str = ACTIONS) -> None:
        """Refuse kinds of object that it cannot act on."""
        super().check_for(kind, argument)
        acted_on = "task" if self.on == "launched" else kind
        if acted_on not in self.SERVES:
            *first, last = (f"{each}s" for each in self.SERVES)
            served = f"{', '.join(first)} and {last}" if first else last
            fired = "a time is not an object" if kind not in OF_CLEARML else f"this trigger is for {kind}s"
            raise wrong(
                f"{type(self).__name__} acts on {served}, and {fired}; leave it out"
                + (
                    ""
                    if "task" not in self.SERVES or self.WANTS_END
                    else ", or give on='launched' to act on the launched ClearML task"
                ),
                argument,
                self.type,
            )

    # -- how it is shown
    def words(self) -> str:
        """What it does."""
        return f"{self.VERB[0]} {self._whom()}{self.details()}"

    @property
    def label(self) -> str:
        """Its type, and on whom."""
        return self.type if self.on == "object" else f"{self.type} (launched)"

    @property
    def done(self) -> str:
        """What was done."""
        return f"{self._whom()} was {self.VERB[1]}{self.details()}"

    def details(self) -> str:
        """What follows in its words: " with tag a", "" for nothing."""
        return ""

    def _whom(self) -> str:
        return "the launched ClearML task" if self.on == "launched" else "the object"

    # -- how it is carried out
    @abstractmethod
    def settled(self, state: ObjectState, attempt: Attempt) -> str:
        """Why nothing is to be done in this state: it is so already, or makes no sense; "" to go on.

        Raises:
            LaunchImpossible: it can never be done.
        """

    @abstractmethod
    def edit(self, state: ObjectState, attempt: Attempt) -> str:
        """Do it by one call, and give a remark for the history, "" for none; or end the attempt itself."""

    def carry_out(self, attempt: Attempt) -> None:
        """Look at the object, and do what is missing."""
        from triggers.actions import own_edits
        from triggers.actions.launching.permissions import check_action
        from triggers.clearml_api import edits

        check_action(attempt)
        if first := self._unfinished(attempt):
            attempt.snooze(_TURN_SECONDS, f"waiting for {first}, which comes first")
            return
        if self.edits_object:
            own_edits.settle(attempt, self.CHANGES)
        collection, id_ = self.target(attempt)
        state = edits.read(attempt.ctx.api, collection, id_)
        if state is None:
            attempt.skip(f"{collection[:-1]} {id_} was deleted")
            return
        reason = self.settled(state, attempt) or (self._moved_since(state, attempt) if self.MOVES_STATUS else "")
        if reason:
            attempt.launched("", reason)
            return
        try:
            with self._announced(state, attempt):
                remark = self.edit(state, attempt)
        except Refused as refused:
            if not state.is_gone(refused):
                raise
            attempt.skip(f"{collection[:-1]} {id_} was deleted")
            return
        if not attempt.done:
            attempt.launched("", remark)

    def _announced(self, state: ObjectState, attempt: Attempt) -> AbstractContextManager[None]:
        """Let the edit not fire the trigger that it is of. What is launched never fires its trigger."""
        from triggers.actions import own_edits

        if not self.edits_object:
            return nullcontext()
        return own_edits.editing(attempt, lambda event: self.foreseen(event, state, attempt), self.CHANGES)

    def foreseen(self, event: Event, state: ObjectState, attempt: Attempt) -> Event:
        """The object after the edit as conditions see it, but for `CHANGES`, from what it is before."""
        return event

    def pretend(self, attempt: Attempt) -> None:
        """Say what would be done, and to what."""
        attempt.shadow(f"would {self.words()}")

    def target(self, attempt: Attempt) -> tuple[ServerCollection, str]:
        """The object to act on.

        Raises:
            LaunchImpossible: nothing was launched.
        """
        if self.on == "object":
            return "models" if attempt.event.kind == "model" else "tasks", attempt.event.id
        launched = launched_task(attempt)
        if not launched:
            raise LaunchImpossible("nothing was launched for this firing, on which the action was to act")
        return "tasks", launched

    def _moved_since(self, state: ObjectState, attempt: Attempt) -> str:
        """On a further try: an earlier one took effect, or somebody acted meanwhile; neither is to be undone."""
        if state.status in {action.LEAVES for _, action in self._earlier(attempt)}:
            return ""  # it was this firing that moved it
        again = attempt.firing.failures > 0 or len(attempt.firing.attempts) > 1
        if again and self.on == "object" and state.status_changed_ms > attempt.event.changed_ms:
            return f"it is {state.status} since an earlier try"
        return ""

    # -- in which order
    def _precede(self, actions: Iterable[DeclaredAction]) -> Iterator[OnObject]:
        """Those of some actions that change the status of the object that this one changes it of."""
        for action in actions:
            if isinstance(action, OnObject) and action.LEAVES and action.on == self.on:
                yield action

    def _earlier(self, attempt: Attempt) -> Iterator[tuple[str, OnObject]]:
        """The parts of the firing before this one, in its list, that change the status of the same object."""
        part = attempt.firing.part
        if not self.LEAVES or attempt.is_trial:
            return
        for other, action in all_parts(attempt.trigger):
            if other == part:
                return
            if list_of(other) == list_of(part):
                yield from ((other, one) for one in self._precede([action]))

    def _unfinished(self, attempt: Attempt) -> str:
        """What an earlier part is called that is under way; "" if there is not any. A dead letter is not."""
        whole = firing_of(attempt.firing.key)
        for part, action in self._earlier(attempt):
            firing = attempt.ctx.ledger.firings.get(key_of(whole, part))
            if firing is not None and firing.state in ("waiting", "held"):
                return f"{action.label} of this firing"
        return ""
