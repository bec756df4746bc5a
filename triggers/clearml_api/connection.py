"""`Api.call`: the one place through which every call to the ClearML server goes.

No SDK session and no retries: a call that writes and whose reply was lost is a matter of the launch protocol,
not of the transport.
"""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.util import Retry

from triggers.clearml_api import answers
from triggers.clearml_api.credentials import Credentials
from triggers.clearml_api.login import Login
from triggers.errors import Refused, ServerUnavailable

#: the version that the SDK 2.1 sends, with which the contract was recorded
API_VERSION = "2.23"
#: seconds after which an idle connection is not used again: the server may have closed it, and the outcome of a
#: call that fails on it is unknown
_IDLE_SECONDS = 5.0
#: longest wait for a connection, seconds
_CONNECT_SECONDS = 5.0
#: actions without effect; a broken connection is worth a second try (queues.get_next_task has an effect)
_READING = frozenset({"get_all", "get_all_ex", "get_by_id", "get_current_user", "info", "login"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The data of an answer, and a time that the server's clock had passed when the call arrived (ms)."""

    data: dict[str, Any]
    server_ms: int


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Connection:
    """The HTTP session of one thread in one process."""

    def __init__(self, credentials: Credentials) -> None:
        self.pid = os.getpid()
        self.used_at = time.monotonic()
        self.session = requests.Session()
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=Retry(0, read=False))
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)
        # auth.login sets a cookie that would stand in for a token
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # read once here, not at each call; .netrc would replace our Authorization header
        self.session.trust_env = False
        self.session.proxies = requests.utils.get_environ_proxies(credentials.host)
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        self.session.verify = bundle if credentials.verify is True and bundle else credentials.verify
        self.session.headers["Content-Type"] = "application/json"
        self.session.headers["X-ClearML-Client"] = "clearml-triggers"

    def post(self, url: str, **options: Any) -> requests.Response:
        if time.monotonic() - self.used_at > _IDLE_SECONDS:
            self.session.close()  # only its connections; it opens new ones
        try:
            return self.session.post(url, allow_redirects=False, **options)
        finally:
            self.used_at = time.monotonic()


class Api:
    """A ClearML server as one user. Threads share it; each has a connection of its own."""

    def __init__(self, credentials: Credentials, *, timeout_seconds: float) -> None:
        self.credentials = credentials
        self._timeout = (min(timeout_seconds, _CONNECT_SECONDS), timeout_seconds)
        self._local = threading.local()
        # weak: the connection of a thread ends with it
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._opening = threading.Lock()
        self._login = Login(self._buy_token)
        # without a user name and password that the address may carry
        self.shown_host = urlsplit(credentials.host).netloc.rpartition("@")[2]

    def call(self, endpoint: str, body: Mapping[str, Any]) -> Answer:
        """Make one call (`tasks.get_all`, ...); the body may hold NaN.

        A refused token is renewed and the call made again, once: it had no effect. A call that only reads is
        made again, once, when the connection broke. Nothing else is repeated.

        Raises:
            Refused: The server said no (4xx).
            ServerUnavailable: Any other outcome: it is unknown whether the call took effect.
        """
        token = self._login.token()
        try:
            return self._send(endpoint, body, _Bearer(token))
        except Refused as refused:
            if refused.code != 401:
                raise
        return self._send(endpoint, body, _Bearer(self._login.replace(token)))

    def close(self) -> None:
        """Close the connections of all threads; the next call opens new ones."""
        with self._opening:
            connections = list(self._open)
        for connection in connections:
            connection.session.close()

    def _buy_token(self) -> str:
        keys = HTTPBasicAuth(self.credentials.access_key.encode(), self.credentials.secret_key.encode())
        return answers.field("auth.login", self._send("auth.login", {}, keys).data, "token", str)

    def _send(self, endpoint: str, body: Mapping[str, Any], auth: AuthBase) -> Answer:
        where = f"{endpoint} at {self.shown_host}"
        tries = 2 if endpoint.rpartition(".")[2] in _READING else 1
        response = self._post(where, endpoint, json.dumps(body).encode(), auth, tries)
        return Answer(answers.parse(endpoint, where, response), answers.server_ms(where, response))

    def _post(self, where: str, endpoint: str, body: bytes, auth: AuthBase, tries: int) -> requests.Response:
        url = f"{self.credentials.host}/v{API_VERSION}/{endpoint}"
        while True:
            tries -= 1
            try:
                return self._connection().post(url, data=body, auth=auth, timeout=self._timeout)
            except requests.Timeout as error:
                raise ServerUnavailable(f"{where}: no answer in {self._timeout[1]:g} s") from error
            except requests.RequestException as error:  # no connection, cut, or garbled
                if not tries:
                    raise ServerUnavailable(f"{where}: {answers.reason(error)}") from error

    def _connection(self) -> _Connection:
        """This thread's; never one that a fork of the process has copied."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.pid != os.getpid():
            connection = _Connection(self.credentials)
            self._local.connection = connection
            with self._opening:
                self._open.add(connection)
        return connection
