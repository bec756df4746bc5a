"""What no new trigger may have, although those that were stored with it are read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triggers.base.bounds import LONGEST_NAME, MOST_TAGS
from triggers.base.errors import InvalidTrigger
from triggers.base.escaping import is_safe
from triggers.model.parts import all_parts

if TYPE_CHECKING:
    from triggers.model.trigger import Trigger


def unfit_of(trigger: Trigger) -> InvalidTrigger | None:
    """The first thing of a trigger that no new one may have; None if it is fit."""
    name = trigger.name
    if not is_safe(name):
        way_out = "leave out line breaks, control characters, and characters that are invisible or reverse the text"
        return InvalidTrigger(name, "name", name, way_out)
    if len(name) > LONGEST_NAME:
        return InvalidTrigger(name[:40] + "...", "name", name, f"at most {LONGEST_NAME} characters")
    for field in type(trigger).model_fields:
        tags = getattr(trigger, field)
        if isinstance(tags, tuple) and len(tags) > MOST_TAGS:
            return InvalidTrigger(name, field, tags[:3], f"{len(tags):,} are given; at most {MOST_TAGS:,} can be")
    actions = [action for _, action in all_parts(trigger)]
    for number, action in enumerate(actions):
        argument, way_out = action.unfit(actions[:number])
        if argument:
            return InvalidTrigger(name, argument, "(hidden)", way_out)
    return None
