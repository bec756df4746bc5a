"""All that users import: each argument is explained with its default, and has a place in the reference."""

from __future__ import annotations

import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import clearml_triggers
from triggers import actions
from triggers.actions.listed import Listed
from triggers.actions.table import ACTIONS

ROOT = Path(__file__).parents[2]
MODULES = ("triggers", "triggers.actions", "triggers.testing", "triggers.explain", "triggers.sandbox")
#: What explains itself as a value: nobody makes one, and its fields have names and types of their own.
VALUES = {
    "triggers.testing": {"Clause", "Fired", "Outcome"},
    "triggers.explain": {"Check", "ClauseRow", "Explanation", "Facts"},
}


def public() -> Iterator[tuple[str, str, Any]]:
    """Module, name, object."""
    for module in MODULES:
        found = importlib.import_module(module)
        for name in found.__all__:
            yield module, name, getattr(found, name)


def called() -> dict[str, tuple[Callable[..., Any], str]]:
    """What users call, with its docstring; of a class what makes it, and its methods."""
    found: dict[str, tuple[Callable[..., Any], str]] = {}
    for module, name, one in public():
        if name in VALUES.get(module, ()) or typing.is_typeddict(one):
            continue
        if not isinstance(one, type):
            found[f"{module}.{name}"] = one, inspect.cleandoc(one.__doc__)
        elif not issubclass(one, Exception):
            init = one.__init__.__doc__ or ""  # type: ignore[misc]
            found[f"{module}.{name}"] = one, f"{inspect.cleandoc(one.__doc__ or '')}\n{inspect.cleandoc(init)}"
            methods = {} if issubclass(one, Listed) else dict(inspect.getmembers(one, inspect.isfunction))
            for method, function in methods.items():
                if not method.startswith("_"):
                    found[f"{module}.{name}.{method}"] = function, inspect.getdoc(function) or ""
    return found


CALLED = called()


def parameters(call: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {name: one for name, one in inspect.signature(call).parameters.items() if name != "self"}


def explained(text: str) -> dict[str, str]:
    """Argument → the text in parentheses after its name, from every section `Args`."""
    found = {}
    for section in re.findall(r"^Args:\n((?: {4}.*\n?)+)", text, re.M):
        for name, form in re.findall(r"^ {4}(\w+)(?: \((.+?)\))?: \S", section, re.M):
            found[name] = form
    return found


@pytest.mark.parametrize("name", CALLED)
def test_every_argument_of_what_users_call_is_explained(name: str) -> None:
    call, text = CALLED[name]
    assert list(explained(text)) == list(parameters(call))


@pytest.mark.parametrize("name", actions.__all__)
def test_an_action_says_the_type_and_default_of_each_argument(name: str) -> None:
    cls = getattr(actions, name)
    forms = explained(inspect.cleandoc(cls.__doc__))
    for argument, parameter in parameters(cls).items():
        form = forms[argument]
        if parameter.default is parameter.empty:
            assert re.search(r", (?:optional|default)\b", form) is None, argument
        elif parameter.default is None:
            assert form.endswith(", optional"), argument
        else:
            assert form.endswith(f", default {parameter.default!r}"), argument
        assert parameter.annotation not in (parameter.empty, "Any"), argument
    assert "Raises:" in cls.__doc__


#: Enough to make one of each.
REQUIRED: dict[str, dict[str, Any]] = {
    "Webhook": {"url": "https://hooks.example.com/path"},
    "Notify": {"to": "env:CHANNEL"},
    "Tag": {"add": ["checked"]},
    "Comment": {"text": "seen"},
    "SetMetadata": {"metadata": {"stage": "production"}},
    "Enqueue": {"queue": "default"},
}


@pytest.mark.parametrize("name", actions.__all__)
def test_the_signature_of_an_action_is_that_of_its_fields(name: str) -> None:
    cls, given = getattr(actions, name), REQUIRED.get(name, {})
    defaults = {each: one.default for each, one in parameters(cls).items() if one.default is not one.empty}
    assert set(parameters(cls)) == set(cls.own_fields())
    assert {each for each, field in cls.model_fields.items() if field.is_required()} == set(parameters(cls)) - {
        *defaults
    }
    assert cls(**{**defaults, **given}) == cls(**given)


def test_every_action_that_a_list_takes_can_be_imported() -> None:
    assert {each.__name__ for each in ACTIONS.values() if issubclass(each, Listed)} == set(actions.__all__)


def test_all_that_triggers_gives_clearml_triggers_gives_as_well() -> None:
    import triggers

    assert {*triggers.__all__, "main"} == {*clearml_triggers.__all__}
    for name in triggers.__all__:
        assert getattr(clearml_triggers, name) is getattr(triggers, name)


def test_type_checkers_find_each_public_module_under_both_names() -> None:
    for module in MODULES[1:]:
        stub = ROOT / "clearml_triggers" / f"{module.partition('.')[2]}.pyi"
        assert stub.read_text().startswith(f"from {module} import *"), stub


def test_the_reference_has_all_that_users_import() -> None:
    """An entry is one object, or a module with all that its `__all__` has, or with the members that it lists."""
    text = (ROOT / "docs" / "reference" / "python-api.md").read_text()
    shown = set()
    for entry, options in re.findall(r"^::: (\S+)\n((?: {4}.*\n)*)", text, re.M):
        listed = re.search(r"members: \[(.*)]", options)
        shown |= {f"{entry}.{name}" for name in listed[1].split(", ")} if listed else {entry}
    missing = []
    for module, name, one in public():
        defined = getattr(one, "__module__", module)
        if not shown & {f"{module}.{name}", module, f"{defined}.{name}", defined}:
            missing.append(f"{module}.{name}")
    assert missing == []


def test_the_reference_has_every_method_of_a_scheduler_that_is_for_users() -> None:
    text = (ROOT / "docs" / "reference" / "python-api.md").read_text()
    methods = {name.rpartition(".")[2] for name in CALLED if name.startswith("triggers.TriggerScheduler.")}
    assert methods - {*re.findall(r"^        - (\w+)$", text, re.M)} == {"declare"}, "what files of triggers use"
