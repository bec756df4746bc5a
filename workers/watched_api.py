"""The API client of a worker process: it knows when the ClearML server refuses the credentials themselves."""

from __future__ import annotations

from typing import Any, Final

from triggers.base.errors import Refused
from triggers.clearml_api import Api, Credentials
from triggers.clearml_api.connection import Answer

#: HTTP status of credentials that are not accepted (any more).
UNAUTHORISED: Final = 401


class WatchedApi(Api):
    """An API client that remembers a refusal of its credentials."""

    def __init__(self, credentials: Credentials, *, timeout_seconds: float) -> None:
        super().__init__(credentials, timeout_seconds=timeout_seconds, cause="worker")
        #: the server's message when it refused the credentials themselves, "" while it accepts them
        self.refused = ""

    def call(self, endpoint: str, body: Any) -> Answer:
        """Make one call."""
        try:
            return super().call(endpoint, body)
        except Refused as refusal:
            if refusal.code == UNAUTHORISED:
                self.refused = str(refusal)
            raise
