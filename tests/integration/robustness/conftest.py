"""The world of the stages, which fixtures here share."""

from tests.integration.stages.conftest import server, world

__all__ = ["server", "world"]
