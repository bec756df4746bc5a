"""The HTTP edge to the ClearML server: the few calls this project makes, and what their answers mean.

Owns credentials, transport, retries and decoding; every call goes through `Api.call`. When to call is decided above: by
`sources`, `actions`, `sync` and `stages`.
"""

from triggers.clearml_api.connection import Answer, Api
from triggers.clearml_api.credentials import Credentials
from triggers.clearml_api.version import require_supported
from triggers.clearml_api.workspace import does_answer, identity, server_now_ms

__all__ = ["Answer", "Api", "Credentials", "does_answer", "identity", "require_supported", "server_now_ms"]
