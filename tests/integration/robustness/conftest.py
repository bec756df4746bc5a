"""The world of the stages, which fixtures here share."""

from pathlib import Path

import pytest

from tests.integration.stages.conftest import server, world
from triggers.base.settings import Settings

__all__ = ["server", "world"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose leases expire when a test says so, and not because the machine is busy."""
    return Settings(state_folder=tmp_path / "state", lease_seconds=600.0, batch_firings=10)
