"""What people may change by editing the configuration sections (`TRIGGERS_SECTIONS`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from triggers.model import Trigger
from triggers.model.fields import declared
from triggers.model.kinds import phrase_of

Mode = Literal["all", "conditions", "none"]


def permitted(
    mode: Mode, edits: Mapping[str, Trigger | None], registered: Mapping[str, Trigger]
) -> tuple[dict[str, Trigger | None], list[str]]:
    """Sort edits of sections: those that count, and what to tell people of the others.

    Args:
        mode: `all`: anything; `conditions`: what known triggers wait for, not what they do, how often, nor their being
            there; `none`: nothing.
        edits: trigger id → what a section says now, None for removed.
        registered: trigger id → what reading the section again would make of the registered one.
    """
    if mode == "all":
        return dict(edits), []
    good: dict[str, Trigger | None] = {}
    told = []
    for id_, trigger in edits.items():
        if mode == "conditions" and _changes_conditions_only(trigger, registered.get(id_)):
            good[id_] = trigger
        else:
            kind, _, name = id_.partition(":")
            what = "nothing" if mode == "none" else "only what a known trigger waits for"
            told.append(
                f"{phrase_of(kind)} {name!r}: this edit has no effect: TRIGGERS_SECTIONS={mode}, so {what} is changed "
                "in configuration sections; change it in its script or file"
            )
    return good, told


def _changes_conditions_only(new: Trigger | None, old: Trigger | None) -> bool:
    return new is not None and old is not None and _rest(new) == _rest(old)


def _rest(trigger: Trigger) -> dict[str, object]:
    """All but the condition."""
    return trigger.model_dump(exclude=set(declared(type(trigger))))
