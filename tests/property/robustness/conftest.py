"""The world of the stages, which the examples of a test share."""

from tests.integration.stages.conftest import server, world

__all__ = ["server", "world"]
