"""The parts of a firing: its actions beyond the first, each a firing of its own, with the firing's key and its number.

The first action, a launch or a function where the trigger has one, is the firing itself. `-1`, `-2`, ... behind its key
are the others of `actions`, `-f0` those of `on_failed` and `-r0` those of `on_resolved`. Numbers are places in the
trigger's lists at the time of the grant; an action that has moved since is found by its digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from triggers.model.action import DeclaredAction
    from triggers.model.trigger import Trigger

#: The fields of a trigger that hold several actions, as arguments of `add_*` are called.
LISTS: Final = ("actions", "on_failed", "on_resolved")
List = Literal["actions", "on_failed", "on_resolved"]

_LETTERS: Final[dict[List, str]] = {"actions": "", "on_failed": "f", "on_resolved": "r"}
_PART: Final = re.compile(r"([fr]?)(\d{1,2})", re.ASCII)
#: Of a list of actions that is wrong, so many are shown.
_MOST_SHOWN: Final = 20
#: Behind the part in the key of a firing that only tries an action (`clearml-triggers send`).
_TRIAL: Final = "t"


def key_of(firing: str, part: str) -> str:
    """The key of a part of a firing, from that of the firing itself."""
    return f"{firing}-{part}" if part else firing


def firing_of(key: str) -> str:
    """The key of the firing that a key is of, or of a part of."""
    return key.partition("-")[0]


def is_part(key: str) -> bool:
    """Whether a key is not of a firing itself: of a part of it, or of what is only tried."""
    return firing_of(key) != key


def part_of(key: str) -> str:
    """Which part a key is of: "1", "f0", "r0"; "" for the firing itself."""
    return next((part for part in key.split("-")[1:] if not part.startswith(_TRIAL)), "")


def list_of(part: str) -> List:
    """In which list of the trigger the action of a part stands; "" is the first of `actions`."""
    return next(name for name, letter in _LETTERS.items() if letter == part[:1].rstrip("0123456789"))


def number_of(part: str) -> int:
    """The number by which people name an action within its list, from 0."""
    found = _PART.fullmatch(part)
    return int(found[2]) if found else 0


def trial_key(firing: str, part: str, nonce: str) -> str:
    """The key of a firing that only tries an action."""
    return f"{key_of(firing, part)}-{_TRIAL}{nonce}"


def is_trial(key: str) -> bool:
    """Whether a firing of this key only tries an action."""
    return f"-{_TRIAL}" in key


def parts(trigger: Trigger, of: List) -> Iterator[tuple[str, DeclaredAction]]:
    """The parts of a firing of a trigger that come from one of its lists, with their actions."""
    for number, action in enumerate(getattr(trigger, of), 1 if of == "actions" else 0):
        yield f"{_LETTERS[of]}{number}", action


def all_parts(trigger: Trigger) -> Iterator[tuple[str, DeclaredAction]]:
    """Every action of a trigger by its part, the first with ""."""
    yield "", trigger.action
    for name in _LETTERS:
        yield from parts(trigger, name)


def digest_of(action: DeclaredAction) -> str:
    """What an action is known by when the trigger's list has been edited."""
    text = json.dumps(action.form(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def action_of(trigger: Trigger, part: str, digest: str = "") -> DeclaredAction | None:
    """The action of a part as the trigger is now; None where it has none such any more.

    That of the same digest, wherever it stands now; else the one in its place if it is of the same type, since that
    was edited. The type is not known here: any in its place is taken when there is no digest.
    """
    if not part:
        return trigger.action
    here = dict(parts(trigger, list_of(part)))
    place = here.get(part)
    if not digest or (place is not None and digest_of(place) == digest.partition(":")[2]):
        return place
    type_, _, wanted = digest.partition(":")
    moved = next((action for action in here.values() if digest_of(action) == wanted), None)
    return moved or (place if place is not None and place.type == type_ else None)


def label_of(trigger: Trigger | None, part: str, mark: str = "") -> str:
    """What a part is called: "action 1 (webhook)", "on_failed 0 (notify)"; "" for the firing itself."""
    if not part:
        return ""
    action = action_of(trigger, part, mark) if trigger else None
    type_ = mark.partition(":")[0] or (action.type if action else "")
    name = {"actions": "action"}.get(list_of(part), list_of(part))
    return f"{name} {number_of(part)}" + (f" ({type_})" if type_ else "")


def label_of_key(trigger: Trigger | None, key: str, mark: str = "") -> str:
    """What a firing's key is of, with what is only tried marked as such; "" for a firing itself."""
    label = label_of(trigger, part_of(key), mark)
    return f"trial of {label or 'action 0'}" if is_trial(key) else label


def mark_of(action: DeclaredAction) -> str:
    """What a firing keeps of its action: type and digest."""
    return f"{action.type}:{digest_of(action)}"


def shown(argument: str, value: Any) -> Any:
    """What people are shown of a wrong value of an argument: of actions, which may hold secrets, what each is."""
    return _sketch(value) if argument in LISTS else value


def _sketch(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_sketch(each) for each in value[:_MOST_SHOWN]]
    if isinstance(value, Mapping):
        return {"type": value["type"]} if isinstance(value.get("type"), str) else {}
    return value if value is None or isinstance(value, (bool, int, float)) else f"({type(value).__name__})"
