"""The wheel: what is in it, and that what it installs works without the sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | variables, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources: building leaves files beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "sources"
    leave = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist")
    shutil.copytree(REPOSITORY, copy, ignore=leave)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*pip, "--wheel-dir", folder, copy, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an empty environment with the wheel; the dependencies come from this environment."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    place = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    run(*pip, wheel, cwd=folder)
    # after our own: what is installed here in editable form is not seen, .pth files in it are not read
    (place / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_has_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(REPOSITORY))
        for package in ("triggers", "workers")
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    found = {name for name in names(wheel) if ".dist-info/" not in name}
    assert found == wanted
    assert {"triggers/py.typed", "workers/py.typed", "triggers/ledger/poll_commit.lua"} <= found
    assert "triggers/cli/demo/script.py" in found


def test_wheel_has_its_licence_and_describes_itself(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()
        licence = next(name for name in archive.namelist() if name.endswith("/LICENSE"))
        assert "Apache License" in archive.read(licence).decode()
    assert "License-Expression: Apache-2.0" in text
    for extra in ("dev", "flower", "sandbox"):
        assert f"Provides-Extra: {extra}" in text


def test_installed_package_imports_without_the_sources(installed: Path, tmp_path: Path) -> None:
    code = "import triggers, workers; from triggers import TriggerScheduler; print(triggers.__file__)"
    assert str(installed.parents[1]) in run(
        installed, "-c", code, cwd=tmp_path, TRIGGERS_REDIS_URL="redis://127.0.0.1:1/0"
    )


def test_installed_scripts_are_found_by_the_ledger(installed: Path, tmp_path: Path) -> None:
    code = "from triggers.ledger.store import Script; print(len(Script('poll_commit').text))"
    assert int(run(installed, "-c", code, cwd=tmp_path)) > 0


def test_installed_command_line_runs_both_ways(installed: Path, tmp_path: Path) -> None:
    assert "demo" in run(installed, "-m", "triggers", "--help", cwd=tmp_path)
    assert "demo" in run(installed.with_name("clearml-triggers"), "--help", cwd=tmp_path)
