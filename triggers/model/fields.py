"""The fields of a trigger's condition by kind, named as the arguments of `add_*`, each with its clause beside it.

A new one is a field here, or in `task_fields` where it is of ClearML tasks alone. Whatever else has to know of it is
derived, or a test says what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from pydantic import Field

from triggers.model import patterns
from triggers.model.clauses import (
    NamedRule,
    PartOf,
    Rule,
    all_of_the_tags,
    listed,
    project_of,
    short,
    status_of,
    tags_of,
)
from triggers.model.events import ARCHIVED, Event
from triggers.model.frozen import Frozen
from triggers.model.kinds import Kind
from triggers.model.values import Flag, Pattern, Project, Since, Tags, Text, Users

#: Statuses of a dataset version that is finalized; the second when it was already published the next poll.
FINALIZED: Final = ("completed", "published")


# ---- all kinds ------------------------------------------------------------------------------------------
class Place(NamedTuple):
    """A project as a trigger names it. Both ways to name it only meet in what the original wrote; then both count."""

    kind: Kind
    name: str | None
    id: str | None


def _place(trigger: Any) -> Place | None:
    place = Place(trigger.kind, trigger.trigger_project, trigger.project_id)
    return None if place.name is None and place.id is None else place


def _in_place(place: Place, event: Event) -> bool:
    return (place.name is None or project_of(place.kind, event) == place.name) and (
        place.id is None or event.project_id == place.id
    )


def _name_matches(pattern: str, event: Event) -> bool:
    try:
        return patterns.found_in(pattern, event.name)
    except patterns.TooSlow:
        return False


def _name_found(pattern: str, event: Event) -> str:
    try:
        patterns.found_in(pattern, event.name)
    except patterns.TooSlow:
        return f"{short(event.name)}; the expression takes too long on it, which counts as no match"
    return short(event.name) or "no name"


def _exact_name(pattern: str) -> list[tuple[str, tuple[str, ...]]]:
    exact = patterns.exact_text(pattern)
    return [] if exact is None else [("name", (exact,))]


class Conditions(Frozen):
    """What all kinds of triggers may ask for. All parts that are given have to hold.

    The clauses of a kind's own fields come first, then those of these, in the order of the fields: the cheap ones
    before the regular expression.
    """

    #: Whether it is about objects; a kind that is not has none of the fields of this class.
    of_objects: ClassVar[bool] = True
    #: Clauses without a field.
    always: ClassVar[Mapping[str, Rule]] = {
        "kind": Rule(
            value=lambda trigger: trigger.kind,
            holds=lambda kind, event: event.concerns(kind),
            wanted=lambda kind: f"a {kind}",
            found=lambda _, event: f"a {event.kind}",
        )
    }

    trigger_on_publish: Annotated[
        Flag,
        Field(description="Fire only if the object is published."),
        Rule(
            value=lambda trigger: trigger.kind if trigger.trigger_on_publish else None,
            holds=lambda kind, event: event.ready if kind == "model" else event.status == "published",
            wanted=lambda _: "published",
            found=lambda kind, event: (
                status_of(kind, event) if kind != "model" else "published" if event.ready else "not published"
            ),
            needs=lambda kind: [("published" if kind == "model" else "status", ("published",))],
            key="on_publish",
        ),
    ] = False
    trigger_project: Annotated[
        Project,
        Field(description="Full name of the project, such as 'Team/Training'. Objects of subprojects do not count."),
        Rule(
            value=_place,
            holds=_in_place,
            wanted=lambda place: f"project {short(place.name or place.id)}",
            found=lambda place, event: short(project_of(place.kind, event) or event.project_id) or "no project",
            needs=lambda place: [
                (feature, (value,))
                for feature, value in (("project", place.name), ("project_id", place.id))
                if value is not None
            ],
        ),
    ] = None
    project_id: Annotated[
        Text, Field(description="Id of the project, where only the id is known."), PartOf("trigger_project")
    ] = None  # the original wrote it
    trigger_on_archive: Annotated[
        Flag,
        Field(description="Fire only if the object is archived."),
        Rule(
            holds=lambda _, event: ARCHIVED in event.system_tags,
            wanted=lambda _: "archived",
            found=lambda _, event: "archived" if ARCHIVED in event.system_tags else "not archived",
            needs=lambda _: [("archived", (ARCHIVED,))],
            key="on_archive",
        ),
    ] = False
    trigger_on_tags: Annotated[
        Tags, Field(description="Fire only if the object has all of these tags."), all_of_the_tags("tags")
    ] = ()
    trigger_required_tags: Annotated[
        Tags,
        Field(description="More tags that the object must have, all of them; same effect as `trigger_on_tags`."),
        all_of_the_tags("required_tags"),
    ] = ()
    trigger_on_any_tags: Annotated[
        Tags,
        Field(description="Fire only if the object has at least one of these tags."),
        Rule(
            holds=lambda tags, event: any(tag in event.tags for tag in tags),
            wanted=lambda tags: f"any of the tags {listed(tags)}",
            found=tags_of,
            needs=lambda tags: [("tag", tags)],
        ),
    ] = ()
    trigger_exclude_tags: Annotated[
        Tags,
        Field(description="Do not fire if the object has any of these tags."),
        Rule(
            holds=lambda tags, event: not any(tag in event.tags for tag in tags),
            wanted=lambda tags: f"none of the tags {listed(tags)}",
            found=tags_of,
        ),
    ] = ()
    trigger_on_user: Annotated[
        Users,
        Field(
            description="Fire only if one of these users created or last changed the object: user ids, or the name of "
            "the creator."
        ),
        Since(2),
        Rule(
            holds=lambda users, event: any(user in event.users for user in users),
            wanted=lambda users: f"made or last changed by {listed(users)}",
            found=lambda _, event: listed(event.users, "nobody known"),
            needs=lambda users: [("user", users)],
        ),
    ] = ()
    trigger_name: Annotated[
        Pattern,
        Field(description="Regular expression, searched anywhere in the name of the object; case-sensitive."),
        Rule(
            holds=_name_matches,
            wanted=lambda pattern: f"a name in which {short(pattern)!r} is found",
            found=_name_found,
            needs=_exact_name,
            key="match_name",
            bounded=True,
        ),
    ] = None

    def watched_metrics(self) -> set[str]:
        """Give the keys of the metrics that the condition reads."""
        return set()


# ---- datasets -------------------------------------------------------------------------------------------
class DatasetConditions(Conditions):
    """What triggers on dataset versions may ask for.

    A dataset version that is still being made is not ready for work; so unless a trigger waits for its publishing or
    archiving, it waits for its end, also with trigger_on_tags. (The original asks for "completed" and misses
    what is published before its next poll.)
    """

    always: ClassVar[Mapping[str, Rule]] = {
        **Conditions.always,
        "finalized": Rule(
            value=lambda trigger: None if trigger.trigger_on_publish or trigger.trigger_on_archive else FINALIZED,
            holds=lambda statuses, event: event.status in statuses,
            wanted=lambda _: "a finalized version: completed or published",
            found=status_of,
            needs=lambda statuses: [("status", statuses)],
        ),
    }


# ---- what is declared -----------------------------------------------------------------------------------
@cache
def declared(conditions: type[Conditions]) -> dict[str, Rule | PartOf]:
    """Give the fields of a condition with what they are declared with, those of the kind itself first.

    All callers share what it gives.

    Raises:
        TypeError: a field has neither, and would never be looked at.
    """
    fields = {
        name: field
        for name, field in conditions.model_fields.items()
        if conditions.of_objects or name not in Conditions.model_fields
    }
    found: dict[str, Rule | PartOf] = {}
    for name in sorted(fields, key=lambda name: name in Conditions.model_fields):
        notes = [note for note in fields[name].metadata if isinstance(note, (Rule, PartOf))]
        if notes:
            found[name] = notes[0]
        elif name in Conditions.model_fields or name.startswith("trigger_"):
            raise TypeError(f"{conditions.__name__}.{name}: declare it with its clause, as the others are")
    return found


def rules_of(conditions: type[Conditions]) -> tuple[NamedRule, ...]:
    """Give the rules of a kind, those without a field first."""
    rules = {name: note for name, note in declared(conditions).items() if isinstance(note, Rule)}
    return tuple(NamedRule(name, rule) for name, rule in {**conditions.always, **rules}.items())
