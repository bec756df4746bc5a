"""What launches may be made of: the settings of the workers, whoever declared the trigger and by whichever way.

One check, made where a launch is made, just before it: script, section, YAML, command line and whoever writes to
Redis all pass it. A list that is not set leaves its matter open; one that is set allows what it names and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from triggers.actions.attempt import Attempt
from triggers.actions.clearml_task import TaskAction
from triggers.actions.functions import Function, load
from triggers.actions.launching import lookups
from triggers.actions.launching.request import resolve_target_project
from triggers.actions.overrides import OverrideTarget, parse_key
from triggers.actions.parameters import locate
from triggers.base.errors import LaunchImpossible
from triggers.base.settings import Settings
from triggers.clearml_api.names import project_name
from triggers.context import Context
from triggers.model import Trigger

#: The settings that limit launches, and what each is about.
LISTS: Final = {
    "allow_base_projects": "base projects",
    "allow_queues": "queues",
    "allow_target_projects": "target projects",
    "allow_overrides": "task_overrides and task_parameters",
    "allow_actions": "actions",
    "allow_secrets": "secrets of actions",
}
#: Origin of triggers that somebody made or changed in the configuration of the service task.
_CONFIGURATION: Final = "configuration"


def check(attempt: Attempt, base: Mapping[str, Any] | None) -> None:
    """Refuse a launch that the settings do not allow.

    Args:
        attempt: to launch a ClearML task.
        base: the base task with `BASE_FIELDS`; None when there is none, which is refused elsewhere.

    Raises:
        LaunchImpossible: names the trigger, the field, its value and the setting.
    """
    ctx, trigger, of = attempt.ctx, attempt.trigger, attempt.ctx.settings
    _check_origin(attempt)
    action = trigger.action
    if base is None or not isinstance(action, TaskAction):
        return
    _check_overrides(trigger, action, of)
    _check_parameters(trigger, action, base, of)
    if of.allow_queues and not _is_allowed_queue(ctx, action.queue or ""):
        raise _refused(trigger, "schedule_queue", action.queue, "allow_queues", of)
    if of.allow_base_projects:
        project = _name_of(ctx, base.get("project"))
        if not names(project, of.allow_base_projects):
            raise _refused(trigger, "the project of the base task", project, "allow_base_projects", of)
    if of.allow_target_projects:
        project = _target(ctx, trigger, action, base)
        if not names(project, of.allow_target_projects):
            raise _refused(trigger, "target_project", project, "allow_target_projects", of)


def check_action(attempt: Attempt) -> None:
    """Refuse an action that is neither a launch nor a function, if the settings do not allow it.

    Raises:
        LaunchImpossible: names the trigger, the action and the setting.
    """
    _check_origin(attempt)
    kind, of = attempt.action.type, attempt.ctx.settings
    if of.allow_actions and kind not in of.allow_actions:
        raise _refused(attempt.trigger, "action", kind, "allow_actions", of)


def check_enqueue(attempt: Attempt, queue: str, project_id: str) -> None:
    """Refuse putting a ClearML task of a project into a queue: that launches it.

    Raises:
        LaunchImpossible: names the trigger, the field, its value and the setting.
    """
    ctx, trigger, of = attempt.ctx, attempt.trigger, attempt.ctx.settings
    if of.allow_queues and not _is_allowed_queue(ctx, queue):
        raise _refused(trigger, "queue", queue, "allow_queues", of)
    project = _name_of(ctx, project_id) if of.allow_base_projects else ""
    if of.allow_base_projects and not names(project, of.allow_base_projects):
        raise _refused(trigger, "the project of the ClearML task", project, "allow_base_projects", of)


def _check_origin(attempt: Attempt) -> None:
    if attempt.ctx.settings.sections == "none" and attempt.entry.origin == _CONFIGURATION:
        way_out = "start the script again, or apply the file again, to declare it there"
        raise LaunchImpossible(
            f"{attempt.trigger.called} was last changed in the configuration of the service task, and "
            f"TRIGGERS_SECTIONS=none; {way_out}"
        )


def check_function(attempt: Attempt, reference: str) -> Function:
    """The function that a trigger names, if the settings allow workers to import it: importing runs code already.

    Raises:
        LaunchImpossible: they do not; it names the trigger, the module and the setting. Or there is no such function.
    """
    allowed = attempt.ctx.settings.function_modules
    module = reference.partition(":")[0]
    if not imports(module, allowed):
        raise _no_module(attempt.trigger, module, allowed)
    function = load(reference)
    # what a module has imported from elsewhere is not its own: team.notify:os.system
    home = getattr(function, "__module__", None) or ""
    if not imports(home, allowed):
        raise _no_module(attempt.trigger, home, allowed)
    return function


def imports(module: str, allowed: Collection[str]) -> bool:
    """Whether a list names a module: by its full name, or by `PARENT.*` for itself and all below."""
    parents = (one.removesuffix(".*") for one in allowed if one.endswith(".*"))
    return module in allowed or any(module == one or module.startswith(f"{one}.") for one in parents)


def _no_module(trigger: Trigger, module: str, allowed: Collection[str]) -> LaunchImpossible:
    has = ", ".join(allowed) or "nothing"
    return LaunchImpossible(
        f"{trigger.called}: functions of the module {module!r} are not called here: the workers' "
        f"TRIGGERS_FUNCTION_MODULES has {has}; have it added there, then retry the dead letter, or leave out "
        "function_workers: the script calls the function then"
    )


def names(project: str, allowed: tuple[str, ...]) -> bool:
    """Whether a list names a project: by its full name, or by `PARENT/*` for all below."""
    return any(project == one or (one.endswith("/*") and project.startswith(one.removesuffix("*"))) for one in allowed)


def covers(prefix: str, target: OverrideTarget) -> bool:
    """Whether a prefix such as `Args/`, `script.branch` or `container` covers what an override changes."""
    path = target.names if target.part == "field" else (target.part, *target.names)
    section, slash, name = prefix.partition("/")
    parts = ("hyperparams", section, *filter(None, [name])) if slash else tuple(filter(None, prefix.split(".")))
    return path[: len(parts)] == parts


def _check_overrides(trigger: Trigger, action: TaskAction, of: Settings) -> None:
    if of.allow_overrides:
        for key in action.overrides:
            if not any(covers(prefix, parse_key(key)) for prefix in of.allow_overrides):
                raise _refused(trigger, "task_overrides", key, "allow_overrides", of)


def _check_parameters(trigger: Trigger, action: TaskAction, base: Mapping[str, Any], of: Settings) -> None:
    """The same prefixes limit `task_parameters`, each by the section that it comes to lie in."""
    for key in action.parameters if of.allow_overrides else ():
        target = OverrideTarget("hyperparams", locate(key, base.get("hyperparams") or {}))
        if not any(covers(prefix, target) for prefix in of.allow_overrides):
            raise _refused(trigger, "task_parameters", key, "allow_overrides", of)


def _is_allowed_queue(ctx: Context, queue: str) -> bool:
    """By the id that the queue has now: a trigger may name it by id, and anyone may rename a queue."""
    id_ = lookups.queue_id(ctx, queue)
    allowed = ctx.settings.allow_queues
    return id_ is None or id_ in allowed or id_ in {lookups.queue_id(ctx, one) for one in allowed}


def _target(ctx: Context, trigger: Trigger, action: TaskAction, base: Mapping[str, Any]) -> str:
    """Name of the project that the launched ClearML task comes to lie in."""
    if action.reuse_task:
        return _name_of(ctx, base.get("project"))
    if named := resolve_target_project(trigger, base):
        return named
    return _name_of(ctx, action.overrides.get("project") or base.get("project"))


def _name_of(ctx: Context, project_id: Any) -> str:
    return project_name(ctx.api, str(project_id)) or "" if project_id else ""


def _refused(trigger: Trigger, field: str, value: object, setting: str, of: Settings) -> LaunchImpossible:
    allowed = ", ".join(getattr(of, setting))
    return LaunchImpossible(
        f"{trigger.called}: {field}={value!r} is not allowed here: the workers' TRIGGERS_{setting.upper()} has "
        f"{allowed}; change the trigger, or have it added there, then retry the dead letter"
    )
