"""Counting the calls to the ClearML API, per process, added up in Redis: the metrics exporter reads them there."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import redis

from triggers.base.errors import Refused, ServerUnavailable
from triggers.clearml_api import Api, Credentials
from triggers.clearml_api.connection import Answer
from triggers.ledger.shared import add_api_requests

#: HTTP status of credentials that are not accepted (any more).
UNAUTHORISED = 401


class MeasuredApi(Api):
    """An API client that knows how its calls ended: `ok`, an HTTP status, or `unavailable`."""

    def __init__(self, credentials: Credentials, *, timeout_seconds: float) -> None:
        super().__init__(credentials, timeout_seconds=timeout_seconds)
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        #: the server's message when it refused the credentials themselves, "" while it accepts them
        self.refused = ""

    def call(self, endpoint: str, body: Any) -> Answer:
        """Make one call and count it."""
        result = "ok"
        try:
            return super().call(endpoint, body)
        except Refused as refusal:
            result = str(refusal.code)
            if refusal.code == UNAUTHORISED:
                self.refused = str(refusal)
            raise
        except ServerUnavailable:
            result = "unavailable"
            raise
        finally:
            with self._counting:
                self._counts[f"{endpoint} {result}"] += 1

    def add_up(self, client: redis.Redis) -> None:
        """Add what was counted since the last time to the sums in Redis; lost with a process that dies before.

        Raises:
            redis.RedisError: Redis gave no answer; some may be counted twice later.
        """
        with self._counting:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            add_api_requests(client, counts)
        except redis.RedisError:
            with self._counting:
                self._counts.update(counts)
            raise
