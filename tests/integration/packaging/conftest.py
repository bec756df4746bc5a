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
    """The wheel of a copy of the sources: building leaves files beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "sources"
    leave = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=leave)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "--wheel-dir", folder, copy], capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installation]:
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
        return installation

    return make
