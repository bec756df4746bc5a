"""Keys of `task_overrides`: which part of a ClearML task each one changes, and which values it takes.

`Section/name` is a hyperparameter. A dotted key is a path into the task: `script.branch`,
`container.image`, `configuration.NAME`, `hyperparams.SECTION.NAME`, `execution.framework`, `runtime.KEY`.
A bare key is a field: `name`, `comment`, `type`, `tags`, `parent`, `project` (an id), `output_dest`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from triggers.base.meant import meant

Part = Literal["field", "script", "container", "execution", "hyperparams", "configuration", "runtime"]

SCRIPT: Final = frozenset(
    {
        "binary", "repository", "tag", "branch", "version_num", "entry_point", "working_dir",
        "requirements", "diff",
    }
)  # fmt: skip
CONTAINER: Final = frozenset({"image", "arguments", "setup_shell_script"})
FIELDS: Final = frozenset({"name", "comment", "type", "tags", "parent", "project", "output_dest"})
TYPES: Final = frozenset(
    {
        "dataset_import", "annotation", "annotation_manual", "training", "testing", "inference",
        "data_processing", "application", "monitor", "controller", "optimizer", "service", "qc", "custom",
    }
)  # fmt: skip
_WAYS: Final = (
    "'Section/name' (a hyperparameter), 'script.<field>', 'container.<field>', 'configuration.<name>', "
    "'execution.<field>', 'runtime.<key>', or one of " + ", ".join(sorted(FIELDS))
)


@dataclass(frozen=True, slots=True)
class OverrideTarget:
    """What one override changes: `names` is (name,), or (section, name) for a hyperparameter."""

    part: Part
    names: tuple[str, ...]


def parse_key(key: str) -> OverrideTarget:
    """Read one key of `task_overrides`.

    Raises:
        ValueError: the key names nothing that can be changed; the message says what can.
    """
    head, dot, rest = key.partition(".")
    if not dot or head not in _PATHS:
        section, slash, name = key.partition("/")
        if slash and section and name:
            return OverrideTarget("hyperparams", (section, name))
        if key in FIELDS:
            return OverrideTarget("field", (key,))
        raise ValueError(f"a key is {_WAYS}")
    target = _PATHS[head](rest)
    if target is None:
        raise ValueError(f"{key!r} is not a path that can be changed; a key is {_WAYS}")
    return target


def problem_of(target: OverrideTarget, value: Any) -> str | None:
    """Say what is wrong with the value of an override; None if it can be set."""
    return _CHECKS[target.part](target, value)


def _one_of(part: Part, names: frozenset[str]) -> Callable[[str], OverrideTarget | None]:
    return lambda rest: OverrideTarget(part, (rest,)) if rest in names else None


def _hyperparameter(rest: str) -> OverrideTarget | None:
    section, _, name = rest.removesuffix(".value").partition(".")
    return OverrideTarget("hyperparams", (section, name)) if section and name else None


def _configuration(rest: str) -> OverrideTarget | None:
    name = rest.removesuffix(".value")
    return OverrideTarget("configuration", (name,)) if name else None


def _execution(rest: str) -> OverrideTarget | None:
    # One level: the clone call merges the fields of `execution`, not what is inside them.
    return (
        OverrideTarget("execution", (rest,))
        if rest and "." not in rest and rest not in {"queue", "artifacts"}
        else None
    )


_PATHS: Final[dict[str, Callable[[str], OverrideTarget | None]]] = {
    "script": _one_of("script", SCRIPT),
    "container": _one_of("container", CONTAINER),
    "hyperparams": _hyperparameter,
    "configuration": _configuration,
    "execution": _execution,
    "runtime": lambda rest: OverrideTarget("runtime", (rest,)) if rest else None,
}


def _check_field(target: OverrideTarget, value: Any) -> str | None:
    name = target.names[0]
    if name == "tags":
        fine = isinstance(value, list) and all(isinstance(tag, str) for tag in value)
        return None if fine else "tags must be a list of strings"
    if name == "type":
        return None if value in TYPES else f"a type is one of {', '.join(sorted(TYPES))}{meant(value, TYPES)}"
    if name == "comment":
        return None if value is None or isinstance(value, str) else "the comment must be a string or None"
    if not isinstance(value, str) or not value:
        return f"{name} is a string"
    if name == "name" and len(value) < 3:
        return "the server requires names of at least 3 characters"
    return None


def _check_script(target: OverrideTarget, value: Any) -> str | None:
    if target.names[0] == "requirements":
        fine = isinstance(value, dict) and all(isinstance(text, (str, list)) for text in value.values())
        return None if fine else "requirements must be a dictionary such as {'pip': 'numpy==2.0'}"
    return _text_or_none(target, value)


def _text_or_none(target: OverrideTarget, value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else f"{target.names[0]} is a string or None"


def _check_configuration(_target: OverrideTarget, value: Any) -> str | None:
    fine = isinstance(value, (str, dict, list))
    return None if fine else "the content of a configuration object must be a string, a dictionary or a list"


def _anything(_target: OverrideTarget, _value: Any) -> str | None:
    return None


_CHECKS: Final = {
    "field": _check_field,
    "script": _check_script,
    "container": _text_or_none,
    "configuration": _check_configuration,
    "hyperparams": _anything,
    "execution": _anything,
    "runtime": _anything,
}
