"""The server under test: the sandbox, or with CLEARML_VERIFIED=1 the server that CLEARML_API_* name.

A server that is not ours is not reset: point it at an empty one (one user, the queue `default`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from triggers.sandbox import Client, Sandbox

VERIFIED = os.environ.get("CLEARML_VERIFIED") == "1"


@dataclass(frozen=True)
class Target:
    """A ClearML server, ours or a real one."""

    url: str
    access_key: str
    secret_key: str
    sandbox: Sandbox | None


@pytest.fixture(scope="session")
def _target() -> Iterator[Target]:
    if VERIFIED:
        names = ("CLEARML_API_HOST", "CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            pytest.fail(f"CLEARML_VERIFIED=1 also needs {', '.join(missing)}")
        yield Target(*(os.environ[name] for name in names), sandbox=None)
        return
    with Sandbox() as sandbox:
        yield Target(sandbox.url, sandbox.access_key, sandbox.secret_key, sandbox)


@pytest.fixture
def target(_target: Target) -> Target:
    """The server under test; empty if it is ours."""
    if _target.sandbox:
        _target.sandbox.control.reset()
    return _target


@pytest.fixture
def api(target: Target) -> Iterator[Client]:
    """A client of the server under test."""
    with Client(target.url, target.access_key, target.secret_key) as client:
        yield client


@pytest.fixture
def unique() -> str:
    """A name that no other test has, also on a server that is not reset."""
    return f"contract-{uuid4().hex[:12]}"


@pytest.fixture
def project(api: Client, unique: str) -> str:
    """The id of a project of the test's own."""
    return api.call("projects.create", {"name": unique, "description": ""})["id"]
