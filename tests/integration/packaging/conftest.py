"""The wheel, and the environments that it is installed into: each is made once, however many tests use it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from tests.acceptance.conftest import desk
from tests.integration.packaging.installation import CONSTRAINTS, REPOSITORY, Installation, built_image

__all__ = ["desk"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return built(tmp_path_factory.mktemp("wheel"), "--wheel")


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the sources."""
    return built(tmp_path_factory.mktemp("sdist"), "--sdist")


def built(folder: Path, what: str) -> Path:
    """Build it from a copy of the sources: building leaves files beside them."""
    copy = folder / "sources"
    leave = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=leave)
    build = [sys.executable, "-m", "build", "--no-isolation", what, "--outdir", str(folder / "dist"), str(copy)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = (folder / "dist").iterdir()
    return found


@pytest.fixture(scope="session")
def installed(
    wheel: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Installation]:
    """An environment by how it was made."""

    @lru_cache
    def make(how: str) -> Installation:
        folder = tmp_path_factory.mktemp(how)
        if how == "dockerfile":
            return built_image(folder)
        installation = Installation(folder / "venv")
        if how == "newest":
            installation.install(wheel)
        elif how == "constraints":
            installation.install("--constraint", CONSTRAINTS, wheel)
        elif how == "extras":
            installation.install(f"{wheel}[console,flower,metrics,sandbox]")
        elif how == "sdist":  # pip builds it as it does for a user
            installation.install(f"{request.getfixturevalue('sdist')}[sandbox]")
        return installation

    return make
