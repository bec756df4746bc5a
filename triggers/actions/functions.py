"""Functions that triggers call: how one is named for another process, found there, and called."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from triggers.base.errors import LaunchImpossible

Function = Callable[..., Any]


def display_name(function: Function) -> str:
    """Name a callable for people."""
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{module}.{name}" if module else name


def reference_of(function: Function) -> str:
    """Name an importable function as "module:qualname".

    Raises:
        ValueError: another process cannot import it; the message says why.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not module or not name or "<" in name:
        raise ValueError("it has no name that can be imported (a lambda, a closure or an object)")
    if module == "__main__":
        raise ValueError("it is defined in the script itself; move it into a module")
    reference = f"{module}:{name}"
    try:
        found = load(reference)
    except LaunchImpossible as error:
        raise ValueError(str(error)) from error
    if found != function:
        raise ValueError(f"{reference} is something else (a bound method, or redefined)")
    return reference


def load(reference: str) -> Function:
    """Import what "module:qualname" names.

    Raises:
        LaunchImpossible: there is no such function here.
    """
    module, _, name = reference.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # importing runs code of others
        raise LaunchImpossible(
            f"function {reference} cannot be imported: {error}; install its module on all dispatch workers, then retry "
            "the dead letter"
        ) from error
    if not callable(found):
        raise LaunchImpossible(f"{reference} is not a function; name one, then retry the dead letter")
    return found  # type: ignore[no-any-return]


def call(function: Function, object_id: str, firing: object) -> Any:
    """Call a function with the object's id, and with the firing if it has a parameter of that name."""
    if _wants_firing(function):
        return function(object_id, firing=firing)
    return function(object_id)


def call_at(function: Function, at: str, firing: object) -> Any:
    """Call a function of a schedule: with nothing, as the original does, or with the time if it takes an argument.

    It receives the firing if it has a parameter of that name.
    """
    given = {"firing": firing} if _names_firing(function) else {}
    return function(**given) if _takes(function, **given) else function(at, **given)


def problem_at(function: Function) -> str:
    """Why a function cannot be called as schedules call theirs; "" if it can, or nobody knows."""
    given: dict[str, Any] = {"firing": {}} if _names_firing(function) else {}
    if _takes(function, **given) or _takes(function, "time", **given):
        return ""
    return "it is called without arguments, or with the time if it takes one: let it take one argument at most"


def _takes(function: Function, *args: Any, **kwargs: Any) -> bool:
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    except ValueError:  # some built-in functions have no signature
        return True
    return True


def _names_firing(function: Function) -> bool:
    try:
        found = inspect.signature(function).parameters.get("firing")
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False
    return found is not None and found.kind in (found.POSITIONAL_OR_KEYWORD, found.KEYWORD_ONLY)


def problem_of(function: Function) -> str:
    """Why a function cannot be called as triggers call theirs; "" if it can, or nobody knows."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions have no signature
        return ""
    given: dict[str, Any] = {"firing": {}} if _wants_firing(function) else {}
    try:
        signature.bind("object id", **given)
    except TypeError as error:
        return f"it is called with the object's id and cannot be: {error}; let it take one argument"
    return ""


def _wants_firing(function: Function) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False
    first = next((p for p in parameters if p.kind is not p.KEYWORD_ONLY), None)
    return any(
        p.name == "firing" and p is not first and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        for p in parameters
    )
