"""The JSON schema of a file of triggers, made from the fields of a trigger."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from triggers.configuration.document import KIND, PROJECT_ID, defaults
from triggers.model import DeclaredAction, Policy
from triggers.model.action import MOST_ACTIONS, action_classes
from triggers.model.described import description
from triggers.model.kinds import KINDS, Kind
from triggers.model.parts import LISTS
from triggers.model.trigger import CLASSES

#: Where the form in a file differs from that of the field behind it.
_OWN: Final[dict[str, dict[str, Any]]] = {
    "name": {"type": "string", "minLength": 1},
    "add_tag": {"type": ["boolean", "string", "null"]},
    "schedule_function": {"type": "string", "description": "module:function, with function_workers: true"},
    "function_workers": {"type": "boolean"},
}


def schema() -> dict[str, Any]:
    """The schema."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Triggers of clearml-triggers",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "triggers": {"type": "array", "items": {"oneOf": [_kind(kind) for kind in KINDS]}},
            "examples": {"type": "array", "items": {"oneOf": [_EXAMPLE, _TIMES]}},
        },
    }


_EXAMPLE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "an object, and whether a trigger of this file has to fire for it; held by `test -f`",
    "required": ["trigger", "fires"],
    "properties": {
        "trigger": {"type": "string"},
        "fires": {"type": "boolean"},
        "object": {"type": "object"},
    },
}


_TIMES: Final[dict[str, Any]] = {
    "type": "object",
    "description": "a schedule of this file, a moment, and the first times at which it fires after that",
    "required": ["schedule", "from", "fires"],
    "additionalProperties": False,
    "properties": {
        "schedule": {"type": "string"},
        "from": {"type": "string"},
        "fires": {"type": "array", "items": {"type": "string"}},
    },
}


def _kind(kind: Kind) -> dict[str, Any]:
    properties: dict[str, Any] = {KIND: {"const": kind}}
    for name in defaults(kind):
        properties[name] = {"description": description(kind, name), **_form(kind, name)}
    properties[PROJECT_ID] = {"type": "string", "description": "id of the project, where only that is known"}
    return {"type": "object", "additionalProperties": False, "required": [KIND], "properties": properties}


def _form(kind: Kind, name: str) -> dict[str, Any]:
    if name in _OWN:
        return dict(_OWN[name])
    if name in LISTS:
        return _list_of_actions()
    actions = [(each, _field_behind(each, name)) for each in action_classes().values() if each.WAYS]
    models: list[tuple[type[BaseModel], str]] = [(CLASSES[kind], name), (Policy, name), *actions]
    for model, field in models:
        found = model.model_json_schema()
        if field in found["properties"]:
            form = dict(found["properties"][field])
            form.pop("title", None)
            form.pop("description", None)
            return dict(_inlined(form, found.get("$defs", {})))
    return {}


def _field_behind(action: type[DeclaredAction], argument: str) -> str:
    return next((field for field, name in action.ARGUMENTS.items() if name == argument), argument)


def _list_of_actions() -> dict[str, Any]:
    """The form of `actions` and its like: those that no argument of its own spells."""
    others = [each for each in action_classes().values() if not each.WAYS]
    forms = []
    for each in others:
        found = each.model_json_schema()
        form = {"type": "object", "additionalProperties": False, "properties": found["properties"]}
        forms.append(_inlined({**form, "required": ["type", *found.get("required", ())]}, found.get("$defs", {})))
    return {"type": "array", "maxItems": MOST_ACTIONS, "items": {"oneOf": forms} if forms else False}


def _inlined(form: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(form, dict):
        if "$ref" in form:
            return _inlined(definitions[form["$ref"].rpartition("/")[2]], definitions)
        return {key: _inlined(value, definitions) for key, value in form.items() if key != "title" or key == "const"}
    return [_inlined(each, definitions) for each in form] if isinstance(form, list) else form
