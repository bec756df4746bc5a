from collections.abc import Iterator

import pytest

from tests.servers import running
from triggers.clearml_api import Api, Credentials
from triggers.sandbox import Sandbox


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    yield from running()


@pytest.fixture
def server(_running: Sandbox) -> Sandbox:
    """An empty ClearML server without faults."""
    _running.control.reset()
    return _running


@pytest.fixture
def api(server: Sandbox) -> Iterator[Api]:
    api = Api(Credentials(server.url, server.access_key, server.secret_key), timeout_seconds=60)
    yield api
    api.close()


@pytest.fixture
def call(server: Sandbox):
    """Another user's client."""
    return server.client().call
