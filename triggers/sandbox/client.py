"""Clients of a sandbox: of its API, for tests, and of its control address."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import requests

from . import keyring
from .strangers import HEADER, VALUE

if TYPE_CHECKING:
    from .crew import RunEnd
    from .faults import FaultKind

Json = dict[str, Any]
#: where the control address lies on a sandbox's port
CONTROL_PATH = "/_sandbox"


class CallFailed(Exception):
    """The API refused a call."""

    def __init__(self, endpoint: str, code: int, subcode: int, message: str) -> None:
        super().__init__(f"{endpoint}: {code}/{subcode} {message}")
        self.code, self.subcode = code, subcode


def running_env(url: str) -> dict[str, str] | None:
    """The environment that uses the sandbox at this address; None if there is none that this user started.

    It comes from a file of this user's; the server gives its keys to nobody.

    Args:
        url: such as "http://127.0.0.1:8008".
    """
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands before a loopback address
            answer = session.get(f"{url}{CONTROL_PATH}/ready", timeout=5, allow_redirects=False)
        return keyring.known(int(urlsplit(url).port or 80), str(answer.json()["result"]["instance"]))
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return None


class Client:
    """A small client of the API. Not for several threads at once.

    Args:
        url: address of the API.
        access_key: key of a user.
        secret_key: secret of that key.
        name: what the log of calls names as their caller.
    """

    def __init__(self, url: str, access_key: str, secret_key: str, *, name: str = "test") -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands before a loopback address
        self._session.auth = (access_key, secret_key)
        self._session.headers["X-ClearML-Worker"] = name

    def call(self, endpoint: str, body: Json | None = None) -> Any:
        """The data of a call.

        Args:
            endpoint: such as "tasks.get_all".
            body: its arguments.

        Raises:
            CallFailed: it was refused.
        """
        answer = self._session.post(f"{self.url}/v2.23/{endpoint}", json=body or {}, timeout=60)
        content = answer.json()
        meta = content["meta"]
        if meta["result_code"] != 200:
            raise CallFailed(endpoint, meta["result_code"], meta["result_subcode"], meta["result_msg"])
        return content["data"]

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Control:
    """What a test does to a sandbox, in this process or another one, apart from its API.

    Args:
        url: address of the sandbox.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + CONTROL_PATH
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers[HEADER] = VALUE

    def _ask(self, method: str, path: str, body: Json | None = None, **params: Any) -> Any:
        answer = self._session.request(method, self.url + path, json=body, params=params, timeout=60)
        content = answer.json()
        if "error" in content:
            raise ValueError(content["error"])
        answer.raise_for_status()
        return content["result"]

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def reset(self) -> None:
        """Make it an empty server without faults, agents and log; keys and tokens stay good."""
        self._ask("POST", "/reset")

    # ---- what was called -------------------------------------------------------------------------------
    def requests(self, *, after: int = 0, endpoint: str | None = None, caller: str | None = None) -> list[Json]:
        """The log: number, at, endpoint, caller, status (0: hung up), subcode, milliseconds, received and sent
        (bytes of the bodies), faults, known.

        Args:
            after: number of the last call to leave out.
            endpoint: leave out all others.
            caller: leave out all others.
        """
        return list(self._ask("GET", "/requests", after=after, endpoint=endpoint, caller=caller))

    def counts(self, caller: str | None = None) -> dict[str, int]:
        """How many calls of each endpoint.

        Args:
            caller: count those of one caller; None means all.
        """
        found = self._ask("GET", "/counts")
        return dict(found["endpoints"] if caller is None else found["callers"].get(caller, {}))

    def callers(self) -> dict[str, dict[str, int]]:
        """How many calls of each endpoint by each caller."""
        return dict(self._ask("GET", "/counts")["callers"])

    def status_changes(self, *, after: int = 0) -> list[Json]:
        """Every change of a task's status in the order in which they took effect: number, task, status.

        The status is None when the task was deleted. Unlike the log of calls it has what took effect, also where
        a fault kept the answer back.

        Args:
            after: number of the last change to leave out.
        """
        return list(self._ask("GET", "/status_changes", after=after))

    # ---- faults ----------------------------------------------------------------------------------------
    def fault(self, kind: FaultKind, endpoint: str = "*", **options: Any) -> int:
        """Set a fault, returns its id.

        Args:
            kind: what goes wrong; `triggers.sandbox.faults` names the kinds.
            endpoint: the calls that it concerns, with * as in file names, such as "tasks.*".
            options: fraction, seed, times, caller, when ("before" or "after" the call took effect), seconds,
                status, retry_after (seconds or a text), after_call (only callers who have made that call since).
        """
        return int(self._ask("POST", "/faults", {"kind": kind, "endpoint": endpoint, **options})["id"])

    def faults(self) -> list[Json]:
        """The faults in force, with `hits` and `held`."""
        return list(self._ask("GET", "/faults"))

    def held(self, fault: int) -> int:
        """How many calls a fault of kind hold keeps waiting.

        Args:
            fault: its id.
        """
        return next((int(rule["held"]) for rule in self.faults() if rule["id"] == fault), 0)

    def release(self, fault: int, number: int | None = None) -> int:
        """Let held calls go on.

        Args:
            fault: id of the fault that holds them.
            number: how many; None means all of them, and later ones are not held.
        """
        return int(self._ask("POST", f"/faults/{fault}/release", {"number": number}))

    def clear_faults(self, fault: int | None = None) -> None:
        """Drop faults; held calls go on.

        Args:
            fault: id of one; None means all.
        """
        self._ask("DELETE", "/faults" if fault is None else f"/faults/{fault}")

    def expire_tokens(self) -> None:
        """Every token issued so far has expired."""
        self._ask("POST", "/tokens/expire")

    # ---- time ------------------------------------------------------------------------------------------
    def clock(
        self,
        *,
        offset_seconds: float | None = None,
        date_offset_seconds: float | None = None,
        replicas: list[float] | None = None,
        by: Literal["call", "caller"] | None = None,
    ) -> Json:
        """Set the clocks of the server. What is None stays as it is.

        Args:
            offset_seconds: how far the clock is ahead, or (negative) behind.
            date_offset_seconds: the same of the HTTP `Date` alone, as of a proxy with a clock of its own.
            replicas: how far the clock of each replica is ahead.
            by: how calls are shared among the replicas: by "call" in turn, or by "caller".
        """
        values = {
            "offset_seconds": offset_seconds,
            "date_offset_seconds": date_offset_seconds,
            "replicas": replicas,
            "by": by,
        }
        return dict(self._ask("POST", "/clock", values))

    def late(self, seconds: float) -> None:
        """Writes from now on become visible to get_all and get_all_ex only after some time.

        Args:
            seconds: after how long.
        """
        self._ask("POST", "/late", {"seconds": seconds})

    # ---- agents ----------------------------------------------------------------------------------------
    def agent(self, queue: str, outcome: RunEnd | list[RunEnd] = "complete", **options: Any) -> int:
        """Start an agent on a queue; returns its id.

        Args:
            queue: id or name of the queue.
            outcome: how its runs end: "complete", "fail", "abort", "delete", "run"; of several, each in turn.
            options: start_seconds (until it takes a task), run_seconds (how long each runs), slots (how many at once).
        """
        outcomes = [outcome] if isinstance(outcome, str) else outcome
        return int(self._ask("POST", "/agents", {"queue": queue, "outcomes": outcomes, **options})["id"])

    def dismiss(self, agent: int) -> None:
        """Stop an agent.

        Args:
            agent: its id.
        """
        self._ask("DELETE", f"/agents/{agent}")

    def run_counts(self) -> dict[str, int]:
        """How many times each task was started by an agent."""
        return dict(Counter(run["task"] for run in self.run_starts()))

    def run_starts(self) -> list[Json]:
        """Every run that an agent started: task, agent, at, outcome; a task that ran twice is in it twice."""
        return list(self._ask("GET", "/run_starts"))
