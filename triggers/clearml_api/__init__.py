"""The HTTP edge to the ClearML server: the few calls this project makes, and what their answers mean."""

from triggers.clearml_api.connection import Answer, Api
from triggers.clearml_api.credentials import Credentials
from triggers.clearml_api.version import require_supported
from triggers.clearml_api.workspace import identity, server_now_ms

__all__ = ["Answer", "Api", "Credentials", "identity", "require_supported", "server_now_ms"]
