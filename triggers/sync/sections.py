"""A configuration section as text: written from triggers, and read with every problem named. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from triggers.base.bounds import DEEPEST, LARGEST_TEXT, MOST_TRIGGERS
from triggers.base.errors import InvalidTrigger, Usage
from triggers.base.meant import meant
from triggers.model import DeclaredAction, Trigger, check_new
from triggers.model.kinds import Kind, phrase_of
from triggers.model.original import SECTIONS, from_original, keys_of, own_keys, to_original
from triggers.model.parts import shown
from triggers.model.schedule_fields import SCHEDULE
from triggers.sync import section_items

#: As the original describes its sections.
DESCRIPTIONS: Final[dict[str, str]] = {
    **{SECTIONS[kind]: f"{phrase_of(kind).capitalize()} configuration" for kind in SECTIONS},
    SECTIONS[SCHEDULE]: "schedule tasks configuration",
}
#: Sections that a service task only has where there is something in them; the original's schedulers are apart.
ONLY_WITH_TRIGGERS: Final[tuple[Kind, ...]] = (SCHEDULE,)

#: The section's key of an action's argument, where it differs.
_OF_ACTIONS: Final = {
    "schedule_task_id": "base_task_id",
    "schedule_queue": "queue",
    "schedule_function": "base_function",
    "reuse_task": "clone_task",
}
_TWICE: Final = "{where}: name={name!r}: another entry has the same name; rename one of the two"
#: Datasets of one project for which the original makes triggers of one name, as far as they are taken for such.
MOST_SPLIT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Section:
    """What a section says: its triggers in order, what makes it unusable, and what it says in vain.

    `same`: ids of the triggers whose entries are as they would be written; `triggers` has these as they are registered.
    """

    triggers: dict[str, Trigger] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    same: frozenset[str] = frozenset()

    def digests(self) -> dict[str, str]:
        """Trigger id → digest of what the section says, in its order."""
        return {
            id_: digest_as_written(trigger) if id_ in self.same else trigger.digest
            for id_, trigger in self.triggers.items()
        }

    @property
    def has_remarks(self) -> bool:
        """Whether there is anything to tell its author."""
        return bool(self.problems or self.warnings)


def write_section(triggers: Iterable[Trigger], project_ids: Mapping[str, str]) -> str:
    """Write the section of one kind, as the original does; `project_ids`: project name → id where it is known."""
    items = [to_original(each, project_ids.get(each.trigger_project or "")) for each in triggers]
    return json.dumps(items)


def write_sections(triggers: Iterable[Trigger]) -> dict[str, str]:
    """Write all sections of a new service task: name → text."""
    of_kind: dict[Kind, list[Trigger]] = {kind: [] for kind in SECTIONS}
    for trigger in triggers:
        of_kind[trigger.kind].append(trigger)
    return {
        SECTIONS[kind]: write_section(found, {})
        for kind, found in of_kind.items()
        if found or kind not in ONLY_WITH_TRIGGERS
    }


def as_written(trigger: Trigger) -> Trigger:
    """Give what reading the section again makes of a trigger."""
    return from_original(trigger.kind, json.loads(json.dumps(to_original(trigger))))


#: Digest of a trigger → digest of what reading its section again makes of it.
_digests: dict[str, str] = {}


def digest_as_written(trigger: Trigger) -> str:
    """Give the digest of `as_written`; each trigger is written and read once in a process."""
    known = _digests.get(trigger.digest)
    if known is None:
        if len(_digests) >= 5 * MOST_TRIGGERS:
            _digests.clear()
        digest = as_written(trigger).digest
        known = _digests[trigger.digest] = trigger.digest if digest == trigger.digest else digest  # one text for both
    return known


def read_section(
    kind: Kind,
    text: str,
    project_ids: Mapping[str, str],
    registered: Iterable[Trigger],
    standing: Mapping[str, Trigger] | None = None,
) -> Section:
    """Read the section of one kind; it is as good as its worst entry.

    Args:
        kind: which.
        text: what it says.
        project_ids: project name → id, as they stood in the section when it was written.
        registered: the triggers of this scheduler: an entry can only call the function of one of these, since code
            comes from scripts.
        standing: by id, those of them that are in use: an entry that still is as such a trigger is written says this
            trigger, and costs little, however many there are.
    """
    name = SECTIONS[kind]
    if len(text) > LARGEST_TEXT:
        return Section(problems=(f"configuration section {name!r} is larger than {LARGEST_TEXT:,} characters",))
    items = section_items.shortened(kind, text, standing or {}, project_ids)
    if items is None:
        try:
            items = json.loads(text)
        except (ValueError, RecursionError) as error:
            return Section(problems=(f"configuration section {name!r} is not JSON: {error}",))
    if not isinstance(items, list):
        shown = f"configuration section {name!r} is a list of triggers, and this is a {type(items).__name__}"
        return Section(problems=(shown,))
    if len(items) > MOST_TRIGGERS:
        return Section(problems=(f"configuration section {name!r} has more than {MOST_TRIGGERS:,} triggers",))
    return _read_items(kind, items, project_ids, {each.id: each for each in registered})


def _read_items(kind: Kind, items: list[Any], project_ids: Mapping[str, str], known: Mapping[str, Trigger]) -> Section:
    own, split = own_keys(kind), dict[Any, bool]()
    triggers: dict[str, Trigger] = {}
    same, problems, warnings = set[str](), list[str](), list[str]()
    for position, item in enumerate(items):
        where = f"configuration section {SECTIONS[kind]!r}, entry {_title(item, position)}"
        if isinstance(item, Trigger):
            if item.id in triggers:
                problems.append(_TWICE.format(where=where, name=item.name))
            triggers[item.id] = item
            same.add(item.id)
            continue
        try:
            trigger = from_original(kind, _settle_project(item, project_ids))
            if (before := known.get(trigger.id)) != trigger:
                check_new(trigger, before)
        except Usage as error:
            problems.append(f"{where}: {_explain(kind, error, item)}")
            continue
        except RecursionError:
            problems.append(f"{where}: it is nested too deeply: at most {DEEPEST} levels")
            continue
        if trigger.id in triggers and _is_split(item.get("name"), items, split):
            trigger = trigger.model_copy(update={"name": _free_name(trigger, triggers)})
            warnings.append(f"{where}: one of several that differ in their project; it is now called {trigger.name!r}")
        elif trigger.id in triggers:
            problems.append(_TWICE.format(where=where, name=trigger.name))
        elif problem := trigger.action.problem_of_edit(_action(known.get(trigger.id))):
            problems.append(f"{where}: {problem}")
        triggers[trigger.id] = trigger
        # null says nothing: so the original writes what a schedule does not have
        said = [key for key in item if item[key] is not None and not key.startswith("_") and key not in own]
        written = to_original(trigger) if said else {}
        warnings += [
            f"{where}: {key}={item[key]!r:.80}: unknown, ignored{meant(key, {*own, *written})}"
            for key in sorted(said)
            if key not in written
        ]
    return Section(triggers, tuple(problems), tuple(warnings), frozenset(same))


def _is_split(name: Any, items: list[Any], known: dict[Any, bool]) -> bool:
    """Whether the original made the entries of a name out of one, one for each dataset of a project."""
    if name not in known:
        same = [one for one in items if isinstance(one, Mapping) and one.get("name") == name]
        known[name] = len(same) <= MOST_SPLIT and _differ_in_project_only(same)
    return known[name]


def _differ_in_project_only(same: list[Mapping[str, Any]]) -> bool:
    ignored = ("project", "last_update")

    def rest(one: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in one.items() if key not in ignored and not key.startswith("_")}

    projects = {str(one.get("project")) for one in same}
    return len(projects) == len(same) and all(rest(one) == rest(same[0]) for one in same)


def _free_name(trigger: Trigger, taken: Mapping[str, Trigger]) -> str:
    number = 2
    while f"{trigger.id}-{number}" in taken:
        number += 1
    return f"{trigger.name}-{number}"


def _title(item: Any, position: int) -> str:
    if isinstance(item, Trigger):
        return repr(item.name)
    name = (item.get("name") or item.get("base_task_id")) if isinstance(item, Mapping) else None
    return repr(name) if name else f"number {position + 1}"


def _explain(kind: Kind, error: Usage, item: Any) -> str:
    """The error in the words of the section: its own key and the value as it stands there."""
    if not isinstance(error, InvalidTrigger):
        return str(error)
    key = (keys_of(kind) | _OF_ACTIONS).get(error.argument, error.argument)
    if key == "base_function" or key not in item:
        key = key if key in item else error.argument.removeprefix("schedule_")
    value = shown(key, item.get(key, error.value) if isinstance(item, Mapping) else error.value)
    return f"{key}={value!r:.200}: {error.way_out}"


def _settle_project(item: Any, ids: Mapping[str, str]) -> Any:
    """Where `project` and `trigger_project` disagree, take the one that is not as it was written."""
    if not isinstance(item, Mapping) or not item.get("trigger_project"):
        return item
    project, name = item.get("project"), item["trigger_project"]
    if not isinstance(name, str) or not isinstance(project, (str, type(None))):
        return item  # reading it says what is wrong
    as_it_was = (
        not ids or project is None or project in (name, ids.get(name)) or project in ids or project in ids.values()
    )
    return item if as_it_was else {key: value for key, value in item.items() if key != "trigger_project"}


def _action(trigger: Trigger | None) -> DeclaredAction | None:
    return trigger.action if trigger else None
