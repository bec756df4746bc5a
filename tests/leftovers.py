"""What a test must not leave in the process that other tests run in, and that their programs inherit from.

A variable or a session of the SDK that one test leaves leads the next one to a server that is gone, or makes it a part
of another's ClearML task. It fails where it was left, not where it does harm.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

#: Set by pytest itself around each test.
_OF_PYTEST = ("PYTEST_CURRENT_TEST", "PYTEST_VERSION")


def around_a_test() -> Iterator[None]:
    """Fail a test that leaves something, and take it away for those after it."""
    before = environment()
    yield
    left = [*changes(before, environment()), *of_the_sdk()]
    restore(before)
    if left:
        pytest.fail(f"the test leaves {'; '.join(left)}", pytrace=False)


def refuse_since(beginning: Mapping[str, str], whose: str) -> None:
    """Fail where the environment is not what it was, for what wider fixtures and the import of modules leave."""
    left = changes(beginning, environment())
    restore(beginning)
    if left:
        pytest.fail(f"{whose}: it leaves {'; '.join(left)}", pytrace=False)


def environment() -> dict[str, str]:
    """The variables of this process, but those of pytest."""
    return {name: value for name, value in os.environ.items() if name not in _OF_PYTEST}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Each variable that differs; values may be secret."""
    how = {(True, True): "changed", (False, True): "set", (True, False): "unset"}
    return [
        f"the environment variable {name} {how[name in before, name in after]}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def restore(before: Mapping[str, str]) -> None:
    """The environment as it was."""
    for name in environment().keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def of_the_sdk() -> list[str]:
    """A current ClearML task or a session of the SDK in this process, forgotten from here on."""
    found = []
    task: Any = sys.modules.get("clearml.task")
    if task is not None and task.Task._Task__main_task is not None:
        found.append("a current ClearML task")
        task.Task._Task__main_task = None
    base: Any = sys.modules.get("clearml.backend_interface.base")
    if base is not None and base.InterfaceBase._default_session is not None:
        found.append("a session of the SDK")
        base.InterfaceBase._default_session = None
    return found
