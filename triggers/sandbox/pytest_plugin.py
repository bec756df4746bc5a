"""The pytest plugin: `clearml_sandbox` is an empty ClearML server of one's own, set in the environment.

def test_my_trigger(clearml_sandbox):
client = clearml_sandbox.client()
client.call("tasks.create", {"name": "base", "type": "training"})
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .server import Sandbox

#: variables that would send the SDK elsewhere, or make it think that an agent runs it
_CLEARED = ("CLEARML_TASK_ID", "CLEARML_PROC_MASTER_ID", "TRAINS_TASK_ID", "TRAINS_PROC_MASTER_ID")


@pytest.fixture(scope="session")
def clearml_sandbox_server() -> Iterator[Sandbox]:
    """The server that all tests of a session share; each of them finds it empty."""
    try:
        from . import Sandbox
    except ModuleNotFoundError as error:
        pytest.fail(str(error), pytrace=False)
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def clearml_sandbox(clearml_sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An empty ClearML server without faults; `CLEARML_*` name it while the test runs."""
    clearml_sandbox_server.control.reset()
    for name, value in clearml_sandbox_server.env().items():
        monkeypatch.setenv(name, value)
    for name in _CLEARED:
        monkeypatch.delenv(name, raising=False)
    yield clearml_sandbox_server
    clearml_sandbox_server.control.clear_faults()
