"""The parts of a firing as its record names them until they are granted, each by the script of the step it waits for.

`begin.lua` grants those that go along with the firing, `finish.lua` those that wait for its launch and those for when
it has failed. So a part can be neither lost nor granted twice, and a firing without parts costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from triggers.ledger.firings.firing import signed_parts
from triggers.ledger.signing import Signer
from triggers.model import Trigger
from triggers.model.action import Lane
from triggers.model.parts import key_of, mark_of, parts

#: When a part is granted: with the firing, when that has launched, or when it, or a part of it, is a dead letter.
At = Literal["begin", "launched", "dead"]

#: The field of a firing that names its parts to come.
PARTS = "parts"


@dataclass(frozen=True, slots=True)
class PartGrant:
    """A part to come."""

    key: str
    at: At
    lane: Lane
    action: str

    def form(self, fields: Mapping[str, str], signer: Signer) -> dict[str, Any]:
        """Give it as scripts read it, signed for what will be its fields; `fields`: of the firing."""
        form = {"key": self.key, "at": self.at, "lane": self.lane, "action": self.action}
        if signer.has_key:
            form["signature"] = signer.sign("firing", *signed_parts({**fields, "key": self.key}))
        return form


def parts_of(trigger: Trigger, key: str) -> tuple[PartGrant, ...]:
    """The parts of a firing of this trigger with that key."""
    return tuple(_parts(trigger, key))


def _parts(trigger: Trigger, key: str) -> Iterator[PartGrant]:
    for part, action in parts(trigger, "actions"):
        at: At = "launched" if action.after_launch else "begin"
        yield PartGrant(key_of(key, part), at, action.lane, mark_of(action))
    for part, action in parts(trigger, "on_failed"):
        yield PartGrant(key_of(key, part), "dead", action.lane, mark_of(action))


def resolving_parts(trigger: Trigger, key: str) -> tuple[PartGrant, ...]:
    """The actions for when the firing with that key is resolved: the first is what is granted, the others its parts."""
    found = parts(trigger, "on_resolved")
    return tuple(PartGrant(key_of(key, part), "begin", action.lane, mark_of(action)) for part, action in found)


def to_text(grants: tuple[PartGrant, ...], fields: Mapping[str, str], signer: Signer) -> str:
    """The text in which the firing with these fields keeps its parts to come."""
    return json.dumps([one.form(fields, signer) for one in grants], separators=(",", ":"))


def signed_again(text: str, fields: Mapping[str, str], signer: Signer) -> str:
    """The same text under another key; what cannot be read stays as it is."""
    try:
        names = ("key", "at", "lane", "action")
        grants = tuple(PartGrant(*(each[name] for name in names)) for each in json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError):
        return text
    return to_text(grants, fields, signer)
