"""What a field of a condition is declared with: when it holds, how it reads in words, where such objects are found.

The fields themselves are in `fields`, each with its rule beside it; `rules` decides by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from triggers.model.events import ARCHIVED, Event, dataset_project
from triggers.model.kinds import Kind

#: Something that an object must have: the name of a feature, and the values any one of which will do.
Need = tuple[str, tuple[str, ...]]

_SHOWN: Final = 200


def _nothing(_value: Any) -> Iterable[Need]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The clause of a field. It counts when the field has been given, and is asked with the field's value.

    Args:
        holds: whether an event satisfies it.
        wanted: in words, what has to be.
        found: in words, what is.
        needs: features (`FEATURES`) without which it cannot hold: by these an index finds the trigger, and a busy
            server is asked. Leaving one out is slower, and never wrong.
        value: what the others get, None for "does not count"; the value of the field where it is left out.
        key: the original's name of the field in its configuration section; "" where the original does not know it.
        bounded: `holds` takes long on some events, and is cut off there: another time it may say something else. Polls
            do not ask it which events to store.
    """

    holds: Callable[[Any, Event], bool]
    wanted: Callable[[Any], str]
    found: Callable[[Any, Event], str]
    needs: Callable[[Any], Iterable[Need]] = _nothing
    value: Callable[[Any], Any] | None = None
    key: str = ""
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class PartOf:
    """Declares a field that only counts in the clause of another one; `key` as for `Rule`."""

    field: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A rule under the name of the field that it belongs to."""

    name: str
    rule: Rule

    def value(self, trigger: Any) -> Any:
        """Give what the trigger asks for here; None where it asks for nothing."""
        value = getattr(trigger, self.name) if self.rule.value is None else self.rule.value(trigger)
        return None if value is False or value == () else value

    def needs(self, trigger: Any) -> Iterable[Need]:
        """Give what an object must have for it."""
        value = self.value(trigger)
        return () if value is None else self.rule.needs(value)


# ---- features: what objects are found by ----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Feature:
    """Something that tells objects apart: how an event has it, and the field of the server's filter, "" for none."""

    of: Callable[[Kind, Event], Iterable[str]]
    asked_as: str = ""


#: Not the server's: regular expressions on the full name of a project, which are turned into ids when it is asked.
PROJECT_NAME: Final = "project.name"


def project_of(kind: Kind, event: Event) -> str:
    """Give the project that `trigger_project` is compared with: for datasets without the hidden part."""
    return dataset_project(event.project) if kind == "dataset" else event.project


def _names(_kind: Kind, event: Event) -> Iterator[str]:
    yield event.name
    if event.name.endswith("\n"):  # `$` stands before a last line break as well
        yield event.name[:-1]


#: By how much they tell an object apart; a tie in the number of triggers goes to the first.
FEATURES: Final[Mapping[str, Feature]] = {
    "name": Feature(_names),
    "project_id": Feature(lambda _, event: (event.project_id,), "project"),
    "project": Feature(lambda kind, event: (project_of(kind, event),), PROJECT_NAME),
    "metric": Feature(lambda _, event: event.metrics),
    "user": Feature(lambda _, event: event.users),
    "tag": Feature(lambda _, event: dict.fromkeys(event.tags), "tags"),
    "archived": Feature(lambda _, event: (ARCHIVED,) if ARCHIVED in event.system_tags else (), "system_tags"),
    "published": Feature(lambda _, event: ("published",) if event.ready else (), "ready"),
    "status": Feature(lambda _, event: (event.status,), "status"),
}


# ---- words ----------------------------------------------------------------------------------------------
def short(text: str) -> str:
    """Shorten what people wrote to what a line can hold."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def listed(words: Iterable[str], nothing: str = "none") -> str:
    """Say several words in one line."""
    return short(", ".join(words)) or nothing


def tags_of(_value: Any, event: Event) -> str:
    """Say which tags an object has."""
    return listed(event.tags, "no tags")


def status_of(_value: Any, event: Event) -> str:
    """Say which status an object has."""
    return event.status or "no status"


def all_of_the_tags(key: str) -> Rule:
    """Make the rule of tags all of which have to be there."""
    return Rule(
        holds=lambda tags, event: all(tag in event.tags for tag in tags),
        wanted=lambda tags: f"all of the tags {listed(tags)}",
        found=tags_of,
        needs=lambda tags: (("tag", (tag,)) for tag in tags),
        key=key,
    )
