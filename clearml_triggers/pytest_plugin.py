"""The pytest plugin: `clearml_sandbox` is an empty ClearML server of one's own, set in the environment.

    def test_my_trigger(clearml_sandbox):
        client = clearml_sandbox.client()
        client.call("tasks.create", {"name": "base", "type": "training"})

pytest loads this in every run of every project of the environment, so it takes no name of a project's own module:
`triggers` is imported by the first test that asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from clearml_triggers.alias import own

if TYPE_CHECKING:
    from triggers.sandbox import Sandbox

#: variables that would send the SDK elsewhere, or make it think that an agent runs it
_CLEARED = ("CLEARML_TASK_ID", "CLEARML_PROC_MASTER_ID", "TRAINS_TASK_ID", "TRAINS_PROC_MASTER_ID")


@pytest.fixture(scope="session")
def clearml_sandbox_server() -> Iterator[Sandbox]:
    """The server that all tests of a session share; each of them finds it empty."""
    try:
        own("triggers")
        from triggers.sandbox import Sandbox
    except ImportError as error:  # without the extra, or beside a `triggers.py` that the tests have imported
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
