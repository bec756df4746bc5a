"""`Api.call`: the one place through which every call to the ClearML server goes.

No SDK session and no retries: a call that writes and whose reply was lost is a matter of the launch protocol,
not of the transport.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from triggers.base import progress
from triggers.base.errors import Refused, ServerBusy, ServerUnavailable
from triggers.clearml_api import answers
from triggers.clearml_api.calls import TALLY, cause_now
from triggers.clearml_api.credentials import Credentials
from triggers.clearml_api.gate import Gate
from triggers.clearml_api.login import Login
from triggers.clearml_api.pauses import Pause
from triggers.clearml_api.reply import CONNECT_SECONDS, Broken, Reply

if TYPE_CHECKING:
    from triggers.clearml_api.transport import Connection

#: the version that the SDK 2.1 sends, with which the contract was recorded
API_VERSION = "2.23"
#: actions without effect; a broken connection is worth a second try (queues.get_next_task has an effect)
_READING = frozenset({"get_all", "get_all_ex", "get_by_id", "get_current_user", "info", "login"})

_HEADERS = {
    "Content-Type": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "clearml-triggers",
    "X-ClearML-Client": "clearml-triggers",
}


Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The data of an answer, and a time that the server's clock had passed when the call arrived (ms)."""

    data: dict[str, Any]
    server_ms: int


class Api:
    """A ClearML server as one user. Threads share it; each has a connection of its own."""

    def __init__(self, credentials: Credentials, *, timeout_seconds: float, cause: str = "script") -> None:
        """Prepare; nothing is sent.

        Args:
            credentials: Which server, and as whom.
            timeout_seconds: Longest time from a request to the end of its answer.
            cause: Under which its requests are counted where `calls.caused_by` says nothing else.
        """
        self.credentials, self.cause = credentials, cause
        self._timeout_seconds = timeout_seconds
        self._local = threading.local()
        # weak: the connection of a thread ends with it
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._opening = threading.Lock()
        self._login = Login(self._buy_token)
        self._bearer = credentials.token
        self.gate = Gate()
        #: a pause that the server asked this process for, to be shared with the others; None once it is
        self.new_pause: Pause | None = None
        #: asked before each request with its cause, where calls are limited: it raises ServerBusy where none is left
        self.spend: Callable[[str], None] | None = None
        #: calls that this server was found not to know
        self.lacks: set[str] = set()
        # without a user name and password that the address may carry
        self.shown_host = urlsplit(credentials.host).netloc.rpartition("@")[2]

    def call(self, endpoint: str, body: Body) -> Answer:
        """Make one call (`tasks.get_all`, ...); the body may hold NaN. A list goes as JSON lines.

        A refused token is renewed and the call made again, once: it had no effect. A call that only reads is
        made again, once, when the connection broke. Nothing else is repeated.

        Raises:
            Refused: The server refused (4xx).
            ServerBusy: There were too many calls; this one had no effect.
            ServerUnavailable: Any other outcome: it is unknown whether the call took effect.
        """
        token = self._login.token()
        try:
            return self._send(endpoint, body, f"Bearer {token}")
        except Refused as refused:
            if refused.code != 401:
                raise
        return self._send(endpoint, body, f"Bearer {self._login.replace(token)}")

    @property
    def pause_seconds(self) -> float:
        """What is left of a pause that the server asked for; 0 without one."""
        return self.gate.seconds_left

    @property
    def is_trying(self) -> bool:
        """Whether a pause is over, and it is not known yet whether the call that was refused is taken again."""
        return self.gate.is_trying

    def pause(self, pause: Pause) -> None:
        """Make no call for a while, as the server asked one of the processes; a longer pause stays."""
        self.gate.keep(pause)

    def close(self) -> None:
        """Close the connections of all threads; the next call opens new ones."""
        with self._opening:
            connections = list(self._open)
        for connection in connections:
            connection.close()

    def _buy_token(self) -> str:
        if self._bearer:
            return self._renew_bearer()
        pair = f"{self.credentials.access_key}:{self.credentials.secret_key}".encode()
        answer = self._send("auth.login", {}, f"Basic {base64.b64encode(pair).decode()}")
        return answers.field("auth.login", answer.data, "token", str)

    def _renew_bearer(self) -> str:
        """A token for the last one; child processes find it in the environment, as with the SDK."""
        answer = self._send("auth.login", {}, f"Bearer {self._bearer}")
        self._bearer = answers.field("auth.login", answer.data, "token", str)
        if os.environ.get("CLEARML_AUTH_TOKEN"):
            os.environ["CLEARML_AUTH_TOKEN"] = self._bearer
        return self._bearer

    def _send(self, endpoint: str, body: Body, authorization: str) -> Answer:
        where = f"{endpoint} at {self.shown_host}{self._connection().through}"
        with self.gate.passing(where) as sent_at:
            reply = self._post(where, endpoint, body, authorization)
            try:
                data = answers.parse(endpoint, where, reply)
            except (Refused, ServerUnavailable):
                self._obey(where, endpoint, sent_at, reply)
                raise
            self.gate.accepted(endpoint, sent_at)
        return Answer(data, answers.server_ms(where, reply))

    def _obey(self, where: str, endpoint: str, sent_at: float, reply: Reply) -> None:
        """Pause if an answer asks for it; that a call was one too many says that it had no effect."""
        pause = self.gate.refused(endpoint, sent_at, reply.status, answers.meta_of(reply), answers.pause_seconds(reply))
        if pause is None:
            return
        self.new_pause = pause
        if reply.status < 500:
            raise ServerBusy(f"{where}: {pause.why}; the server refuses calls for {pause.seconds:.0f} s", pause.seconds)

    def _post(self, where: str, endpoint: str, body: Body, authorization: str) -> Reply:
        path, headers = f"/v{API_VERSION}/{endpoint}", {**_HEADERS, "Authorization": authorization}
        if isinstance(body, Mapping):
            content = json.dumps(body).encode()
        else:
            content = "\n".join(map(json.dumps, body)).encode()
            headers["Content-Type"] = "application/json-lines"
        connection = self._connection()
        progress.note(2 * (CONNECT_SECONDS + self._timeout_seconds))
        try:
            try:
                return self._counted(connection, endpoint, path, content, headers)
            except Broken as broken:
                if broken.timed_out or endpoint.rpartition(".")[2] not in _READING:
                    raise
            return self._counted(connection, endpoint, path, content, headers)
        except Broken as broken:
            raise ServerUnavailable(f"{where}: {broken}") from broken
        finally:
            progress.note()

    def _counted(
        self, connection: Connection, endpoint: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> Reply:
        """Send one request; it counts whatever comes of it."""
        status = None
        with TALLY.request():
            if self.spend is not None:
                self.spend(cause_now(self.cause))
            try:
                reply = connection.post(path, content, headers)
                status = reply.status
                return reply
            finally:
                TALLY.add(endpoint, status, self.cause)

    def _connection(self) -> Connection:
        """This thread's; never one that a fork of the process has copied."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.pid != os.getpid():
            from triggers.clearml_api.transport import Connection  # only who calls a server needs urllib3

            connection = Connection(self.credentials.host, self.credentials.verify, self._timeout_seconds)
            self._local.connection = connection
            with self._opening:
                self._open.add(connection)
        return connection
