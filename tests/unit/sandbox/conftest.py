from collections.abc import Iterator

import pytest

from triggers.sandbox import Client, Control, Sandbox


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running: Sandbox) -> Iterator[Sandbox]:
    """An empty server."""
    _running.control.reset()
    yield _running
    _running.control.clear_faults()


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    return sandbox.control


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.url, sandbox.access_key, sandbox.secret_key, name="me") as client:
        yield client


@pytest.fixture
def draft(client: Client) -> str:
    return client.call("tasks.create", {"name": "draft", "type": "training"})["id"]
