"""The ClearML server that tests run on: the sandbox, or with CLEARML_VERIFIED=1 the one that CLEARML_API_* name.

SANDBOX_SERVER_VERSION chooses the release that the sandbox imitates. A server that is not ours has to be empty (one
user, the queue `default`) when the tests begin, and is emptied before each of them. Tests marked `sandbox_control` need
what only the sandbox can do: faults, clocks, its log. They are skipped there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from triggers.sandbox import CallFailed, Client, Sandbox
from triggers.sandbox.releases import NEWEST

VERIFIED = os.environ.get("CLEARML_VERIFIED") == "1"
RELEASE = os.environ.get("SANDBOX_SERVER_VERSION", NEWEST)
_VARIABLES = ("CLEARML_API_HOST", "CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY")
_PAGE = 500
#: servers that were empty when the tests began: what is on them was made by tests
_OURS_NOW: set[str] = set()


class NotThere:
    """What only the sandbox has."""

    def __getattr__(self, name: str) -> NoReturn:
        pytest.fail(f"{name}: only the sandbox can do this; mark the test with `sandbox_control`")


class Emptied(NotThere):
    """The little of the sandbox's control that any server can do."""

    def __init__(self, server: Genuine) -> None:
        self._server = server

    def reset(self) -> None:
        """Delete everything that tests made."""
        self._server.empty()


class Genuine:
    """A server that is not ours, seen as a sandbox."""

    app = NotThere()

    def __init__(self, url: str, access_key: str, secret_key: str) -> None:
        self.url, self.access_key, self.secret_key = url.rstrip("/"), access_key, secret_key
        self.control = Emptied(self)
        self._api = self.client("cleaner")

    def client(self, name: str = "test") -> Client:
        """A small client of the API."""
        return Client(self.url, self.access_key, self.secret_key, name=name)

    def env(self) -> dict[str, str]:
        """The environment that makes the SDK use this server."""
        web, files = (os.environ.get(f"CLEARML_{kind}_HOST", self.url) for kind in ("WEB", "FILES"))
        keys = {"CLEARML_API_ACCESS_KEY": self.access_key, "CLEARML_API_SECRET_KEY": self.secret_key}
        return {"CLEARML_API_HOST": self.url, "CLEARML_WEB_HOST": web, "CLEARML_FILES_HOST": files, **keys}

    def refuse_used(self) -> None:
        """Stop unless it is empty: what is on it would be deleted."""
        for kind in ("tasks", "models", "projects"):
            if self._some(kind):
                pytest.exit(f"there are {kind} on {self.url}, which tests delete: CLEARML_VERIFIED=1 wants it empty", 2)

    def empty(self) -> None:
        """Delete tasks, models, projects and queues; what is in the queue `default` as well."""
        for kind in ("tasks", "models"):
            while ids := self._some(kind):
                self._api.call(f"{kind}.delete_many", {"ids": ids, "force": True})
        for id_ in self._some("projects"):
            self._ignoring("projects.delete", {"project": id_, "force": True})
        for queue in self._api.call("queues.get_all", {"only_fields": ["id", "name"]})["queues"]:
            if queue["name"] != "default":
                self._ignoring("queues.delete", {"queue": queue["id"], "force": True})

    def _some(self, kind: str) -> list[str]:
        query = {"only_fields": ["id"], "search_hidden": True, "page": 0, "page_size": _PAGE}
        return [one["id"] for one in self._api.call(f"{kind}.get_all", query)[kind]]

    def _ignoring(self, endpoint: str, body: dict[str, Any]) -> None:
        try:
            self._api.call(endpoint, body)
        except CallFailed:  # gone with its parent
            return


def running(release: str = RELEASE) -> Iterator[Sandbox]:
    """The server that tests run on; the sandbox of a release, or the one that is named."""
    if not VERIFIED:
        with Sandbox(server_version=release) as sandbox:
            yield sandbox
        return
    missing = [name for name in _VARIABLES if not os.environ.get(name)]
    if missing:
        pytest.exit(f"CLEARML_VERIFIED=1 also needs {', '.join(missing)}", 2)
    genuine = Genuine(*(os.environ[name] for name in _VARIABLES))
    if genuine.url not in _OURS_NOW:
        genuine.refuse_used()
        _OURS_NOW.add(genuine.url)
    yield genuine  # type: ignore[misc]
    genuine.empty()


def skip_what_needs_the_sandbox(items: list[pytest.Item]) -> None:
    """Skip the tests that are marked so, on another server."""
    for item in items:
        if VERIFIED and item.get_closest_marker("sandbox_control"):
            item.add_marker(pytest.mark.skip(reason="needs the control address of the sandbox"))
