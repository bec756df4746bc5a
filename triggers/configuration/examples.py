"""Examples in a file of triggers: an object, and whether a trigger has to fire for it. No server is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from triggers import testing
from triggers.base.errors import Usage
from triggers.base.plural import plural
from triggers.configuration import schedule_examples
from triggers.configuration.document import Document
from triggers.configuration.schedule_examples import TimesExample
from triggers.model import Trigger
from triggers.model.events import Event
from triggers.model.kinds import KINDS, one_of_them
from triggers.rules.conditions import Verdict, evaluate

#: The function of `testing` that makes an object of each kind is named as the kind.
_MAKERS: Final[dict[str, Callable[..., Event]]] = {kind: getattr(testing, kind) for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Example:
    """One example held against its trigger."""

    trigger: Trigger
    event: Event
    fires: bool
    verdict: Verdict

    @property
    def passes(self) -> bool:
        """Whether the trigger decides as the example says."""
        return self.verdict.matched == self.fires

    @property
    def outcome(self) -> bool:
        """Whether it fires, for machines."""
        return self.verdict.matched

    @property
    def why(self) -> str:
        """What is wrong, for people."""
        says = "fires" if self.fires else "does not fire"
        why = "; ".join(f"{c.name}: wanted {c.wanted}, found {c.found}" for c in self.verdict.failed)
        return f"the example {self.event.name!r} says it {says}; {why or 'its condition holds'}"


def run(document: Document) -> list[Example | TimesExample]:
    """Hold every example against its trigger.

    Raises:
        Usage: an example cannot be read.
    """
    return [_run(item, document.triggers, number) for number, item in enumerate(document.examples, 1)]


def _run(item: Any, triggers: Sequence[Trigger], number: int) -> Example | TimesExample:
    place = f"example {number}"
    if isinstance(item, Mapping) and "schedule" in item:
        return schedule_examples.run(item, triggers, place)
    if not isinstance(item, Mapping) or not item.keys() <= {"trigger", "object", "fires"} or "trigger" not in item:
        raise Usage(f"{place}: give 'trigger', 'object' and 'fires', and nothing else")
    found = [one for one in triggers if item["trigger"] in (one.name, one.id)]
    if len(found) != 1:
        named = f"{plural(len(found), 'trigger')} of this file are named {item['trigger']!r}"
        raise Usage(f"{place}: {named}; write kind:name")
    if not isinstance(item.get("fires"), bool):
        raise Usage(f"{place}: fires={item.get('fires')!r}: give true or false")
    event = _event(item.get("object") or {}, found[0].kind, place)
    return Example(found[0], event, item["fires"], evaluate(found[0], event))


def _event(fields: Any, kind: str, place: str) -> Event:
    """An object as `triggers.testing` describes it; metrics as {title: {variant: value}}."""
    if not isinstance(fields, Mapping):
        raise Usage(f"{place}: object={fields!r}: describe it by its fields, as the functions of triggers.testing do")
    given = dict(fields)
    make = _MAKERS.get(str(given.pop("kind", kind)))
    if make is None:
        raise Usage(f"{place}: kind={fields['kind']!r}: give {one_of_them(fields['kind'])}")
    if isinstance(given.get("metrics"), Mapping):
        given["metrics"] = {
            (title, variant): tuple(value) if isinstance(value, list) else value
            for title, variants in given["metrics"].items()
            for variant, value in dict(variants).items()
        }
    try:
        return make(**given)
    except (TypeError, ValueError) as error:
        raise Usage(f"{place}: {error}") from error
