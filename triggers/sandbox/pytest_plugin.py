"""The pytest plugin of the local ClearML API server."""
