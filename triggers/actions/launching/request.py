"""What the clone call of a launch contains, and the edit for what it cannot carry. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from triggers.actions import parameters
from triggers.actions.clearml_task import TaskAction
from triggers.actions.overrides import OverrideTarget, parse_key
from triggers.actions.placeholders import fill
from triggers.base.errors import LaunchImpossible
from triggers.model import Trigger
from triggers.model.events import Event, iso_time
from triggers.model.launch_request import LaunchRequest
from triggers.model.launch_tags import FIRING, REUSED, LaunchTags, is_launch_tag

#: The configuration object that tells where a launched ClearML task came from, and by what we know it.
PROVENANCE: Final = "trigger"
PROVENANCE_DESCRIPTION: Final = "Written by clearml-triggers: what launched this task"

_NOT_CLONED: Final = frozenset({"development", "archived"})
_PIPELINE: Final = "pipeline"
_PIPELINES: Final = ".pipelines"
#: Fields of a ClearML task that the clone call sets, and their names there.
_CLONE_FIELDS: Final = {
    "name": "new_task_name",
    "comment": "new_task_comment",
    "tags": "new_task_tags",
    "parent": "new_task_parent",
    "project": "new_task_project",
}


def launch_request(
    trigger: Trigger, event: Event, base: Mapping[str, Any], launch_tags: LaunchTags, project: str | None
) -> LaunchRequest:
    """Write the calls that make the ClearML task of one firing.

    `new_task_*` values replace those of the base task, and empty ones count as not given; so everything that
    is changed in part is merged with the base's here, and what has to become empty goes into the edit.

    Args:
        trigger: its action clones a ClearML task.
        event: fills the references in parameters and overrides.
        base: the base task with `BASE_FIELDS`, as `tasks.get_all` returns it.
        launch_tags: put on by the clone call itself.
        project: id of the target project, None to stay in the base task's.

    Raises:
        LaunchImpossible: the trigger's action launches no ClearML task.
    """
    action = _task_action(trigger)
    changes = _Changes(base, event, trigger, action)
    clone = {"task": base["id"], "new_task_parent": base["id"], **changes.fields}
    if project:
        clone["new_task_project"] = project
    tags = changes.tags(action.tag)
    if tags is not None:
        clone["new_task_tags"] = tags
    clone["new_task_system_tags"] = _system_tags(base, launch_tags)
    clone |= {
        "new_task_hyperparams": changes.hyperparams(),
        "new_task_configuration": changes.configuration(launch_tags),
        "new_task_container": changes.container(),
        "execution_overrides": changes.part("execution"),
    }
    edit = changes.edit()
    for name, value in clone.items():
        if name in _EMPTIED and value in ("", [], {}):
            edit[_EMPTIED[name]] = value
    return LaunchRequest({name: value for name, value in clone.items() if value}, edit or None)


def reuse_edit(trigger: Trigger, event: Event, base: Mapping[str, Any], launch_tags: LaunchTags) -> dict[str, Any]:
    """Write the `tasks.edit`, without its "task", that marks a reset base task for its next run.

    Marks of earlier firings are replaced, so that the key found on the task is that of its last firing.
    """
    action = _task_action(trigger)
    changes = _Changes(base, event, trigger, action)
    edit: dict[str, Any] = {"system_tags": [*_without_launch_tags(base), *launch_tags.tags(), REUSED]}
    tags = changes.tags(action.tag)
    if tags is not None:
        edit["tags"] = tags
    configuration = changes.configuration(launch_tags)
    if configuration is not None:
        edit["configuration"] = configuration
    return edit


def resolve_target_project(trigger: Trigger, base: Mapping[str, Any]) -> str | None:
    """Name the project of a launched ClearML task, None for the base task's own.

    A pipeline goes to its hidden project inside the target, as in the original.
    """
    action = _task_action(trigger)
    target = action.target_project
    if target and _PIPELINE in (base.get("system_tags") or ()) and f"/{_PIPELINES}/" not in target:
        # found by its name: that of the pipeline, where the run's own may be numbered
        named = action.query.name if action.query else None
        return pipeline_project(target, named or str(base.get("name")))
    return target


def pipeline_project(project: str, name: str) -> str:
    """Name the hidden project in which the SDK keeps the runs of a pipeline."""
    return f"{project}/{_PIPELINES}/{name}"


#: Values of the clone call that count as not given when empty, and the field to edit then.
_EMPTIED: Final = {
    "new_task_comment": "comment",
    "new_task_tags": "tags",
    "new_task_container": "container",
    "new_task_configuration": "configuration",
}


class _Changes:
    """The overrides and parameters of one firing, filled in, by the part of the task that they change."""

    def __init__(self, base: Mapping[str, Any], event: Event, trigger: Trigger, action: TaskAction) -> None:
        self.base, self.event, self.trigger = base, event, trigger
        self.parameters = fill(action.parameters, trigger.kind, event.id, event.at)
        filled = fill(action.overrides, trigger.kind, event.id, event.at)
        self.overrides: list[tuple[OverrideTarget, Any]] = [(parse_key(key), value) for key, value in filled.items()]
        self.fields = {
            _CLONE_FIELDS[name]: "" if value is None else value
            for name, value in self.part("field").items()
            if name in _CLONE_FIELDS
        }

    def part(self, part: str) -> dict[str, Any]:
        return {target.names[0]: value for target, value in self.overrides if target.part == part}

    def tags(self, tag: str | None) -> list[str] | None:
        """The tags if they differ from what the clone keeps by itself."""
        given = self.part("field").get("tags")
        if given is None and tag is None:
            return None
        kept = (self.base.get("tags") or []) if given is None else given
        return sorted({*kept, *([tag] if tag else [])})

    def hyperparams(self) -> parameters.Sections | None:
        base = self.base.get("hyperparams") or {}
        changes = [(parameters.locate(key, base), value) for key, value in self.parameters.items()]
        changes += [
            ((target.names[0], target.names[1]), value)
            for target, value in self.overrides
            if target.part == "hyperparams"
        ]
        return parameters.merge(base, changes) if changes else None

    def configuration(self, launch_tags: LaunchTags) -> dict[str, Any] | None:
        kept, before = self._kept_configuration(), self.base.get("configuration") or {}
        changes = dict(self._configuration_items(kept))
        # A configuration object of that name which the user made is the user's, and stays.
        if self.trigger.provenance and PROVENANCE not in kept and PROVENANCE not in changes:
            changes[PROVENANCE] = self._provenance(launch_tags)
        return {**kept, **changes} if changes or len(kept) < len(before) else None

    def _kept_configuration(self) -> dict[str, dict[str, Any]]:
        """The base task's, but for what tells where that task itself came from, if it is a copy of a launch."""
        base = self.base.get("configuration") or {}
        return {
            name: item
            for name, item in base.items()
            if name != PROVENANCE or item.get("description") != PROVENANCE_DESCRIPTION
        }

    def _configuration_items(self, kept: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, value in self.part("configuration").items():
            text = value if isinstance(value, str) else json.dumps(value)
            new = {} if isinstance(value, str) else {"type": "json"}
            yield name, {**new, **(kept.get(name) or {}), "name": name, "value": text}

    def _provenance(self, launch_tags: LaunchTags) -> dict[str, Any]:
        value = {
            "trigger": self.trigger.name,
            "kind": self.trigger.kind,
            "object": self.event.id,
            "object_name": self.event.name,
            "event_time": iso_time(self.event.changed_ms),
            "firing": launch_tags.firing.removeprefix(FIRING),
        }
        return {
            "name": PROVENANCE,
            "type": "json",
            "description": PROVENANCE_DESCRIPTION,
            "value": json.dumps(value, indent=2),
        }

    def container(self) -> dict[str, Any] | None:
        changes = self.part("container")
        if not changes:
            return None
        merged = {**(self.base.get("container") or {}), **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def edit(self) -> dict[str, Any]:
        """What the clone call has no field for."""
        edit: dict[str, Any] = {name: value for name, value in self.part("field").items() if name not in _CLONE_FIELDS}
        script = {name: "" if value is None else value for name, value in self.part("script").items()}
        # A repository's tag wins over its branch: a new branch needs it gone, as in the SDK's set_script.
        if script.get("branch") and "tag" not in script and (self.base.get("script") or {}).get("tag"):
            script["tag"] = ""
        if script:
            edit["script"] = script
        runtime = self.part("runtime")
        if runtime:
            edit["runtime"] = runtime
        return edit


def _task_action(trigger: Trigger) -> TaskAction:
    if not isinstance(trigger.action, TaskAction):
        raise LaunchImpossible(f"{trigger.called} calls a function and launches no ClearML task")
    return trigger.action


def _without_launch_tags(base: Mapping[str, Any]) -> list[str]:
    return [tag for tag in base.get("system_tags") or () if not is_launch_tag(tag)]


def _system_tags(base: Mapping[str, Any], launch_tags: LaunchTags) -> list[str]:
    # A base task that is a copy of a launched one carries that one's launch tags, which must not become ours.
    return [*(tag for tag in _without_launch_tags(base) if tag not in _NOT_CLONED), *launch_tags.tags()]
