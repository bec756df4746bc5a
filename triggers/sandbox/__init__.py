"""A local ClearML API server for tests: nothing outside, in memory, as the recorded server behaves.

Written from recorded exchanges and the SDK alone. Imports nothing of the rest of `triggers`, nor the rest this.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import CallFailed, Client, Control, running_env
    from .server import Sandbox

__all__ = ["CallFailed", "Client", "Control", "Sandbox", "running_env"]


if not TYPE_CHECKING:  # to a type checker a name that is not here is an error

    def __getattr__(name: str) -> Any:
        """Import on first use: the command line asks for the client alone, without what a server needs."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            return getattr(import_module(".server" if name == "Sandbox" else ".client", __name__), name)
        except ModuleNotFoundError as error:
            way_out = f"the local ClearML server needs {error.name}: pip install 'clearml-triggers[sandbox]'"
            raise ModuleNotFoundError(way_out, name=error.name, path=error.path) from error
