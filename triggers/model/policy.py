"""When a match is granted a firing, and when a firing is launched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from triggers.model.frozen import Frozen
from triggers.model.values import Count, Flag, Hours, Minutes, Rate, Since, one_of, wrong


class Policy(Frozen):
    """When a match is granted a firing, and when a firing is launched."""

    single_instance: Annotated[
        Flag, Field(description="Do not launch while the previous launch of this trigger is queued or running.")
    ] = False
    overlap: Annotated[
        Literal["skip", "queue", "latest", "all", "cancel_previous"],
        Field(
            description="What happens to a firing while the previous launch is queued or running: 'skip' skips it, "
            "'queue' holds it until the previous launch has ended, 'latest' holds only the newest, 'cancel_previous' "
            "aborts the previous launch first; these three require single_instance=True. 'all' launches side by side, "
            "as without single_instance."
        ),
        one_of("skip", "queue", "latest", "all", "cancel_previous"),
    ] = "skip"
    fire: Annotated[
        Literal["once", "on_transition", "while_true"],
        Field(
            description="How often one object can fire: 'once'; 'on_transition', each time the condition becomes true "
            "after it was false; 'while_true', at each change while it is true, `cooldown_minutes` apart or more."
        ),
        one_of("once", "on_transition", "while_true"),
    ] = "once"
    cooldown_minutes: Annotated[
        Minutes,
        Field(
            description="Minimum time between the changes that lead to two firings for one object, in minutes. "
            "Requires fire='while_true'."
        ),
    ] = 0.0
    max_per_minute: Annotated[
        Rate,
        Field(
            description="Maximum number of launches per minute; further firings are held. 0 means no limit, None the "
            "setting TRIGGERS_MAX_PER_MINUTE."
        ),
    ] = None
    limit_execution_time: Annotated[
        Hours,
        Since(4),
        Field(
            description="Abort a launched ClearML task that has not ended this many hours after its launch "
            "(0.5 is half "
            "an hour)."
        ),
    ] = None
    pause_on_failures: Annotated[
        Count,
        Since(4),
        Field(
            description="Pause the trigger after this many failures in a row: launched ClearML tasks that failed, and "
            "firings that were given up."
        ),
    ] = None

    @property
    def version(self) -> int:
        """The earliest version of triggers that knows the values given here."""
        return 4 if self.overlap in ("all", "cancel_previous") else 1

    @model_validator(mode="after")
    def _each_part_has_an_effect(self) -> Policy:
        if self.overlap == "all" and self.single_instance:
            raise wrong("contradicts single_instance=True; leave one of the two out", "overlap", self.overlap)
        if self.overlap not in ("skip", "all") and not self.single_instance:
            raise wrong("requires single_instance=True", "overlap", self.overlap)
        if self.cooldown_minutes and self.fire != "while_true":
            raise wrong("requires fire='while_true'", "cooldown_minutes", self.cooldown_minutes)
        return self
