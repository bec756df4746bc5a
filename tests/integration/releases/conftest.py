"""The older releases of the ClearML server that are supported, one after the other in the place of the newest."""

from collections.abc import Iterator

import pytest

from tests.integration.service.conftest import service_world
from tests.integration.stages.conftest import world
from tests.servers import VERIFIED, running
from triggers.sandbox import Sandbox

__all__ = ["service_world", "world"]


@pytest.fixture(scope="session", params=["1.17", "2.2"])
def server(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if VERIFIED:
        pytest.skip("which release that server is, is up to it: tests/integration/stages runs on it")
    yield from running(request.param)
