"""A local ClearML API server for tests: nothing outside, in memory, as the recorded server behaves.

Written from recorded exchanges and the SDK alone. Imports nothing of the rest of `triggers`, nor the rest this.
"""

from .client import CallFailed, Client, Control, running_env
from .server import Sandbox

__all__ = ["CallFailed", "Client", "Control", "Sandbox", "running_env"]
