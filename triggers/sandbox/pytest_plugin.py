"""The plugin's former place, which environments name that were installed before it moved to `clearml_triggers`."""

from clearml_triggers.pytest_plugin import clearml_sandbox, clearml_sandbox_server

__all__ = ["clearml_sandbox", "clearml_sandbox_server"]
